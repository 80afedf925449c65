"""Starts a service whose failpoints a test arms while it runs, and whose protections a test may break on purpose.

`FAULTS_FOLDER=… python -m faulty_service order_svc all`. A file `<folder>/<module>/<failpoint>` holding a deed of
`hanro.failpoints` (`kill`, `sleep:5` …, or `stop`: SIGSTOP) arms that point once: it is gone when the point was
reached; a second process of a service says in `FAULTS_NAME` what its points' folder is called instead. A file
`<folder>/broken/<what>` breaks a protection in every process while it exists; `<folder>/told/<NAME>` holds a variable
for processes that start while it exists.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from hanro import due, failpoints, inbox, outbox, restoring, servers
from hanro.consume import handling
from hanro.db import database, failures
from hanro.pacer import slots

FOLDER = "FAULTS_FOLDER"
NAME = "FAULTS_NAME"
TOLD = "told"
# Tests wait for each turn.
WATCH_SECONDS = 1.0
# Two that begin a batch at nearly the same time meet within it.
BETWEEN_SECONDS = 1.0
DRAFTS_FACTOR = 20
STOP = "stop"


def arm(own: Path) -> None:
    """Let points look for their file; the environment, read once, could not be changed while the process runs."""

    def reach(name: str) -> None:
        file = own / name
        try:
            deed = file.read_text().strip()
            file.unlink()
        except FileNotFoundError:
            return
        if deed == STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        failpoints.armed(failpoints.parse(f"{name}={deed}"))(name)

    failpoints.reach = reach


def break_inbox(is_broken: Callable[[], bool]) -> None:
    """Let the inbox take every fact for news (I10)."""
    take = inbox.take

    async def take_all(tx: Any, consumer: str, versions: Mapping[str, int]) -> dict[str, int | None]:
        known = await take(tx, consumer, versions)
        return dict.fromkeys(versions) if is_broken() else known

    inbox.take = take_all


def break_outbox(is_broken: Callable[[], bool]) -> None:
    """Let facts be forgotten that the transaction made true (I9)."""
    record = outbox.record

    async def forget(tx: Any, *facts: Any, **named: Any) -> None:
        if not is_broken():
            await record(tx, *facts, **named)

    outbox.record = forget


def break_page(is_broken: Callable[[], bool], hit: Callable[[], None]) -> None:
    """Let the cursor move although the page was not stored (I1); `hit` is called for each page that held anything."""
    from order_svc.orders import ingestion  # noqa: PLC0415  only one service has it

    take_in = ingestion.take_in

    async def drop(*words: Any, **named: Any) -> list[Any]:
        if not is_broken():
            return await take_in(*words, **named)
        sightings = words[2]
        if sightings:
            hit()
        return []

    ingestion.take_in = drop


def break_lock(is_broken: Callable[[], bool]) -> None:
    """Let pages be stored without looking at what is known (I2)."""
    from order_svc.store import orders  # noqa: PLC0415  only one service has it

    lock_orders = orders.lock_orders

    async def see_nothing(*words: Any, **named: Any) -> Any:
        locked = await lock_orders(*words, **named)
        return type(locked)(known={}, same=frozenset()) if is_broken() else locked

    orders.lock_orders = see_nothing


def break_fence(is_broken: Callable[[], bool]) -> None:
    """Let a lease that another process took over be held and given back all the same (I2)."""
    hold, go_on, settle = due.hold, due.go_on, due.settle

    async def renewed(tx: Any, lease: Any) -> Any:
        if not is_broken():
            return lease
        (row,) = await tx.fetch("select fence from due where account_id = $1 and job = $2", lease.account_id, lease.job)
        return replace(lease, fence=row["fence"])

    async def hold_any(tx: Any, lease: Any) -> None:
        await hold(tx, await renewed(tx, lease))

    async def go_on_any(tx: Any, lease: Any, **named: Any) -> None:
        await go_on(tx, await renewed(tx, lease), **named)

    async def settle_any(tx: Any, lease: Any, **named: Any) -> None:
        await settle(tx, await renewed(tx, lease), **named)

    due.hold, due.go_on, due.settle = hold_any, go_on_any, settle_any


def break_age(is_broken: Callable[[], bool]) -> None:
    """Let what was seen earlier be taken for news (fault 23)."""
    from order_svc.domain import reconcile as deciding  # noqa: PLC0415  only one service has it

    reconcile = deciding.reconcile

    def forget_age(known: Any, sighting: Any, **named: Any) -> Any:
        if known is not None and is_broken():
            known = replace(known, seen_at=min(known.seen_at, sighting.seen_at))
        return reconcile(known, sighting, **named)

    deciding.reconcile = forget_age


def break_retry(is_broken: Callable[[], bool]) -> None:
    """Let a deadlock or a serialisation failure be taken for the fault of the record in hand (fault 10)."""
    is_conflict, is_passing = failures.is_conflict, failures.is_passing

    def is_none(error: BaseException) -> bool:
        return is_conflict(error) and not is_broken()

    def passes(error: BaseException) -> bool:
        return is_passing(error) and not (is_conflict(error) and is_broken())

    vars(database)["is_conflict"], vars(handling)["is_passing"] = is_none, passes


def break_restoring(is_broken: Callable[[], bool]) -> None:
    """Let nobody notice what the broker lost (fault 12)."""
    look = restoring.Restorer.look

    async def overlook(self: restoring.Restorer) -> list[str]:
        return [] if is_broken() else await look(self)

    restoring.Restorer.look = overlook  # type: ignore[method-assign]


def break_order(is_broken: Callable[[], bool], *, is_reversed: bool) -> None:
    """Let stock be locked SKU by SKU with time between, from the last to the first where it is reversed (fault 10)."""
    from catalog_svc.store import stock  # noqa: PLC0415  only one service has it

    lock_stock = stock.lock_stock

    async def lock_slowly(tx: Any, skus: Collection[str]) -> dict[str, Any]:
        if not is_broken():
            return await lock_stock(tx, skus)
        found: dict[str, Any] = {}
        for sku in sorted(skus, reverse=is_reversed):
            found |= await lock_stock(tx, [sku])
            await asyncio.sleep(BETWEEN_SECONDS)
        return found

    stock.lock_stock = lock_slowly


def break_handler(is_broken: Callable[[], bool]) -> None:
    """Let the handler of orders have a bug (fault 16)."""
    from catalog_svc.domain import reservations  # noqa: PLC0415  only one service has it

    wishes = reservations.wishes

    def fail(*words: Any, **named: Any) -> Any:
        if is_broken():
            raise LookupError("a bug")
        return wishes(*words, **named)

    reservations.wishes = fail


def break_ledger(is_broken: Callable[[], bool]) -> None:
    """Let mails leave without a note before or after (I3)."""
    from notifier_svc.sender.ledger import Ledger  # noqa: PLC0415  only one service has it

    settle, mark_sending = Ledger.settle, Ledger.mark_sending

    async def mark_nothing(self: Ledger, message: Any) -> bool:
        return True if is_broken() else await mark_sending(self, message)

    async def settle_nothing(self: Ledger, *words: Any, **named: Any) -> None:
        if not is_broken():
            await settle(self, *words, **named)

    Ledger.mark_sending = mark_nothing  # type: ignore[method-assign]
    Ledger.settle = settle_nothing  # type: ignore[method-assign]


def break_share(is_broken: Callable[[], bool]) -> None:
    """Let probes have the whole pace, not the share that they have beside another service (I6)."""
    pace_of = slots.pace_of

    def quick(group: Any, service: str, *, is_alone: bool) -> Any:
        return pace_of(group, service, is_alone=is_alone or is_broken())

    slots.pace_of = quick


def hurry_drafts() -> None:
    """Let what a draft's key opens be probed quickly: tests link a shop each, and pace is no matter of theirs there."""
    pace_of = slots.pace_of

    def quick(group: Any, service: str, *, is_alone: bool) -> Any:
        pace = pace_of(group, service, is_alone=is_alone)
        return replace(pace, step=pace.step / DRAFTS_FACTOR) if is_alone else pace

    slots.pace_of = quick


def break_gate(accounts: Any, is_broken: Callable[[], bool]) -> None:
    """Let a service's store of `accounts` forget that one only observes (A21)."""
    told = accounts.SwitchesSet

    class Forgetful(told):  # type: ignore[misc,valid-type]  # a service's own class
        @classmethod
        def model_validate(cls, *words: Any, **named: Any) -> Any:
            known = told.model_validate(*words, **named)
            return known.model_copy(update={"is_observing": False}) if is_broken() else known

    accounts.SwitchesSet = Forgetful


def break_pace(is_broken: Callable[[], bool]) -> None:
    """Let calls leave ten times as fast as they may (I6)."""
    pace_of = slots.pace_of

    def quick(*words: Any, **named: Any) -> Any:
        pace = pace_of(*words, **named)
        return replace(pace, step=pace.step / 10) if is_broken() else pace

    slots.pace_of = quick


def main(words: list[str]) -> None:
    """Prepare the faults, then be the service."""
    folder = Path(os.environ[FOLDER])
    module, broken = words[0], folder / "broken"
    os.environ.update({file.name: file.read_text() for file in folder.glob(f"{TOLD}/*")})
    servers.WATCH_SECONDS = restoring.EVERY_SECONDS = WATCH_SECONDS
    arm(folder / os.environ.get(NAME, module))
    break_inbox((broken / "inbox").exists)
    break_outbox((broken / "outbox").exists)
    break_retry((broken / "retry").exists)
    break_restoring((broken / "restoring").exists)
    if module == "account_svc":
        break_share((broken / "share").exists)
        hurry_drafts()
    if module == "order_svc":
        break_page((broken / "page").exists, (broken / "page.hit").touch)
        break_lock((broken / "lock").exists)
        break_pace((broken / "pace").exists)
        break_fence((broken / "fence").exists)
        break_age((broken / "age").exists)
        break_gate(import_module("order_svc.store.accounts"), (broken / "acceptances").exists)
    if module == "catalog_svc":
        break_handler((broken / "handler").exists)
        break_order((broken / "order").exists, is_reversed=NAME in os.environ)
    if module == "notifier_svc":
        break_ledger((broken / "ledger").exists)
        break_gate(import_module("notifier_svc.store.accounts"), (broken / "mails").exists)
    sys.argv = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
