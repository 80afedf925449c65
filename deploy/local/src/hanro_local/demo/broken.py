"""Starts a service with one of its protections broken on purpose, so that the demo's checks can be seen to fail.

`HANRO_BREAK=inbox python -m hanro_local.demo.broken catalog_svc all`: what stands behind the service's name is passed
on to it. `inbox`: every fact is news, however often it comes and however old it is. `outbox`: facts wait in the
process's memory and are written a while after the commit that made them true. `ledger`: that a mail is leaving is not
noted, and that it left only a while later.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hanro import inbox, outbox
from hanro.db import Database, Transaction
from hanro.events.envelope import Received
from hanro.events.fact import Fact

VARIABLE = "HANRO_BREAK"
LATE_SECONDS = 5.0


def break_inbox() -> None:
    """Let the inbox know nothing."""
    take = inbox.take

    async def take_all(tx: Transaction, consumer: str, versions: Mapping[str, int]) -> dict[str, int | None]:
        await take(tx, consumer, versions)
        return dict.fromkeys(versions)

    inbox.take = take_all


def break_outbox() -> None:
    """Keep facts in memory for a while before they are written."""
    record, begin = outbox.record, Database.begin
    databases: list[Database] = []
    late: set[asyncio.Task[None]] = set()

    def begin_known(self: Database) -> Any:
        if self not in databases:
            databases.append(self)
        return begin(self)

    async def write(facts: tuple[Fact, ...], causes: Sequence[Received]) -> None:
        await asyncio.sleep(LATE_SECONDS)
        async with databases[0].begin() as tx:
            await record(tx, *facts, causes=causes)

    async def record_late(tx: Transaction, *facts: Fact, causes: Sequence[Received] = ()) -> None:
        def remember() -> None:
            task = asyncio.get_running_loop().create_task(write(facts, causes))
            late.add(task)
            task.add_done_callback(late.discard)

        if facts:
            tx.after_commit(remember)

    Database.begin = begin_known  # type: ignore[method-assign]
    outbox.record = record_late


def break_ledger() -> None:
    """Send mails without noting before that they leave."""
    from notifier_svc.sender.ledger import Ledger  # noqa: PLC0415  only one service has it

    settle = Ledger.settle

    async def mark_nothing(self: Ledger, message: object) -> bool:
        del self, message
        return True

    async def settle_late(self: Ledger, *words: Any, **named: Any) -> None:
        async def write() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await settle(self, *words, **named)

        task = asyncio.get_running_loop().create_task(write())
        _LATE.add(task)
        task.add_done_callback(_LATE.discard)

    Ledger.mark_sending = mark_nothing  # type: ignore[method-assign]
    Ledger.settle = settle_late  # type: ignore[method-assign]


_LATE: set[asyncio.Task[None]] = set()
BREAKS = {"inbox": break_inbox, "outbox": break_outbox, "ledger": break_ledger}


def main(words: list[str]) -> None:
    """Break what the environment says, then be the service."""
    module = words[0]
    chosen = os.environ[VARIABLE]
    if chosen != "ledger" or module == "notifier_svc":
        BREAKS[chosen]()
    sys.argv = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
