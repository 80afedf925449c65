"""Keys end, change and are copied while orders arrive; account-svc goes away: nothing is lost, nothing comes twice."""

import asyncio
import contextlib
import secrets
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fault_checks import await_stored, differences, look
from fault_forms import form
from fault_journal import advance, calls, longest_gap, sequence
from fault_shop import Shop, once
from fault_shops import Shops
from fault_stack import FaultStack

from hanro_local.demo.api import Refused

pytestmark = pytest.mark.fault

PER_SECOND = 20
POLL_SECONDS = 1.0
# The marketplace allows a call a second: a poll of a new order is two of them, and a sweep's stand between.
CALL_SECONDS = 1.0
SETTLES = 6.0
SEARCH = "/es/2.0/order/searchOrder"


async def account(shop: Shop) -> dict[str, Any]:
    shown: dict[str, Any] = (await shop.hanro.call("GET", f"/v1/accounts/{shop.account_id}")).json()
    return shown


async def until(shop: Shop, *, seconds: float = 60.0, **wanted: object) -> dict[str, Any]:
    """Wait until the account shows what is wanted: its `state`, `reason` code or credential `version`."""
    found: dict[str, Any] = {}

    async def look_once() -> None:
        shown = await account(shop)
        reason = shown["reason"]["code"] if shown["reason"] else None
        found.update(shown)
        now = {"state": shown["state"], "reason": reason, "version": shown["credentials"]["version"]}
        if any(now[name] != value for name, value in wanted.items()):
            raise Refused(f"{now} in place of {wanted}")

    await once(look_once, seconds)
    return found


async def issue(shop: Shop, **how: object) -> dict[str, Any]:
    answer = await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/issue", how)
    issued: dict[str, Any] = answer.json()
    return issued


async def enter(shop: Shop, issued: dict[str, Any]) -> None:
    values = {
        "service_secret": issued["service_secret"],
        "license_key": issued["license_key"],
        "smtp_id": issued["smtp_username"],
        "smtp_password": issued["smtp_password"],
        "sender_address": issued["sender_address"],
    }
    await shop.hanro.call("PUT", f"/v1/accounts/{shop.account_id}/credentials", {"values": values})


@contextlib.asynccontextmanager
async def load(shop: Shop) -> AsyncIterator[list[str]]:
    """Let buyers order 20 times a second while the block lasts."""
    numbers: list[str] = []

    async def buy() -> None:
        while True:
            began = asyncio.get_running_loop().time()
            numbers.extend(await shop.place(PER_SECOND))
            await asyncio.sleep(max(0.0, 1.0 - (asyncio.get_running_loop().time() - began)))

    buying = asyncio.create_task(buy())
    try:
        yield numbers
    finally:
        buying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await buying


@contextlib.asynccontextmanager
async def quick_probes(stack: FaultStack, shop: Shop) -> AsyncIterator[None]:
    """Let account-svc probe a call a second in the short form, where its share is one in fifty seconds.

    The marketplace allows as much more while the block lasts: order-svc's pace is as it is.
    """
    if form(short=False, whole=True):
        yield
        return
    await shop.simulator.call("PUT", "/_sim/limits", {"requests_per_second": 2.0, "burst": 5})
    try:
        with stack.switches.broken("share"):
            yield
    finally:
        await shop.simulator.call("PUT", "/_sim/limits", {"requests_per_second": 1.0, "burst": 5})


@pytest.mark.row("P17", kind="walks")
async def test_a_rotation_with_two_live_keys_is_refused_nothing_and_loses_nothing(
    stack: FaultStack, shop: Shop, record_property: Any
) -> None:
    async with quick_probes(stack, shop), load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        begun = await sequence(shop)
        await enter(shop, await issue(shop, keeps_old=True))
        await until(shop, version=2, seconds=form(short=40.0, whole=180.0))
        promoted = await sequence(shop)
        await asyncio.sleep(form(short=3.0, whole=60.0))
        # Services took the new one: that the old one ends is nothing to them.
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/retire")
        await asyncio.sleep(form(short=2.0, whole=20.0))
    assert await differences(stack, shop, seconds=120) == {}
    asked = await calls(shop, after=begun)
    assert [one for one in await calls(shop, after=promoted) if one.is_refused] == []
    gap = longest_gap(asked)
    record_property("longest_gap_seconds", gap)
    assert gap <= 2 * (POLL_SECONDS + CALL_SECONDS), gap
    assert len((await look(stack, shop)).orders) == len(numbers)


@pytest.mark.row("P17", kind="walks")
async def test_a_cut_over_pauses_calls_and_the_gap_is_filled_within_a_minute(
    stack: FaultStack, shop: Shop, record_property: Any
) -> None:
    settles = form(short=SETTLES, whole=900.0)
    async with load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        issued = await issue(shop, keeps_old=False, active_after_seconds=settles)
        issued_at = datetime.now(UTC)
        await enter(shop, issued)
        waiting = await until(shop, state="suspended", reason="key-settling")
        assert waiting["label"]["ja"] == "無効"
        paused = await sequence(shop)
        if form(short=False, whole=True):
            # Orders wait at the marketplace; its clock alone is what the key waits for.
            await asyncio.sleep(20)
            await advance(stack, shop, settles)
        await until(shop, version=2, state="active", seconds=90)
    assert await differences(stack, shop, seconds=180) == {}
    asked = await calls(shop, after=paused)
    taken = next(number for number, one in enumerate(asked) if not one.is_refused)
    # Until the key is taken only the probes ask, now and then.
    assert len(asked[:taken]) <= 2 * (settles / 15 + 2)
    assert [one for one in asked[taken:] if one.is_refused] == []
    if form(short=True, whole=False):
        resumed = (asked[taken].at - issued_at).total_seconds() - settles
        record_property("resumed_after_seconds", resumed)
        assert resumed <= 60, resumed
    assert len((await look(stack, shop)).orders) == len(numbers)


@pytest.mark.row("P15", kind="walks")
async def test_a_key_that_expires_in_flight_stops_its_account_alone_and_the_gap_of_two_days_is_filled(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        other = await shops.take(client)
        await shop.place(3)
        await await_stored(stack, shop, 3, 60)
        before = await sequence(shop)
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/expire")
        await shop.place(2)
        await until(shop, state="suspended", reason="credential-refused")
        refused = [one for one in await calls(shop, after=before) if one.is_refused]
        # One call of each route in flight; what account-svc asks to find out is a probe of each function of orders.
        functions = {one.path for one in refused}
        assert len(refused) <= 2 + len(functions)
        stopped = await sequence(shop)
        for _ in range(2):
            await shop.place(2)
            await other.place(2)
            await advance(stack, shop, 86_400)
        await await_stored(stack, other, 4, 60)
        asked = await calls(shop, after=stopped)
        assert all(one.is_refused for one in asked)
        assert len(asked) <= 8
        assert await _told(stack, shop, "suspended") == 1

        await enter(shop, await issue(shop, active_after_seconds=0))
        await until(shop, state="active", version=2)
        assert await differences(stack, shop, seconds=120) == {}
        assert await differences(stack, other, seconds=60) == {}
        assert len((await look(stack, shop)).orders) == 9


@pytest.mark.row("P17", kind="refuses")
async def test_a_copied_ciphertext_opens_nothing_and_a_rewrapped_installation_does_without_its_old_key(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        other = await shops.take(client)
        await other.place(1)
        await await_stored(stack, other, 1, 60)
        async with stack.database() as connection:
            own = await connection.fetchrow("select * from account.credentials where account_id = $1", other.account_id)
            await connection.execute(
                "update account.credentials set sealed = theirs.sealed, version = theirs.version"
                " from account.credentials theirs where theirs.account_id = $1 and credentials.account_id = $2",
                shop.account_id,
                other.account_id,
            )
        await _restart(stack, "order-svc")
        begun = await sequence(shop)
        await other.place(1)
        await shop.place(2)
        await stack.expire_leases()
        await await_stored(stack, shop, 2, 60)
        # Nobody calls for the account with what cannot be opened, least of all with the other one's key.
        assert await calls(other, after=begun, path=SEARCH) == []
        async with stack.database() as connection:
            await connection.execute(
                "update account.credentials set sealed = $2, version = $3 where account_id = $1",
                other.account_id,
                own["sealed"],
                own["version"],
            )
        keys = stack.parts.state / "keys"
        (keys / "kek-2.key").write_text(secrets.token_hex(32))
        (keys / "current").write_text("kek-2")
        names = ("account-svc", *form(short=(), whole=("order-svc", "catalog-svc", "notifier-svc")))
        for name in names:
            await _restart(stack, name)
            output = await asyncio.to_thread(_rewrap, stack, name)
            assert output.splitlines()[-1].endswith("0 rows are not under the current key")
        if form(short=False, whole=True):
            (keys / "kek-1.key").unlink()
            for name in names:
                await _restart(stack, name)
        await stack.wake_account(other.account_id)
        await shop.place(2)
        assert await differences(stack, shop, seconds=90) == {}
        assert await differences(stack, other, seconds=90) == {}


@pytest.mark.row("A14", kind="walks")
async def test_polling_goes_on_while_account_svc_is_away_and_new_credentials_wait(
    stack: FaultStack, shop: Shop
) -> None:
    await shop.place(1)
    await await_stored(stack, shop, 1, 60)
    count = 1
    async with stack.down("account-svc"):
        async with asyncio.timeout(form(short=60, whole=700)):
            end = asyncio.get_running_loop().time() + form(short=5.0, whole=600.0)
            while asyncio.get_running_loop().time() < end:
                count += len(await shop.place(PER_SECOND))
                await asyncio.sleep(1)
            await await_stored(stack, shop, count, 60)
        issued = await issue(shop, keeps_old=True)
        answer = await shop.hanro.call(
            "PUT", f"/v1/accounts/{shop.account_id}/credentials", {"values": {}}, expected=(502, 503, 504)
        )
        assert answer.headers["content-type"] == "application/problem+json"
    await once(lambda: enter(shop, issued))
    async with quick_probes(stack, shop):
        await until(shop, version=2, seconds=form(short=60.0, whole=180.0))
    await shop.place(1)
    assert await differences(stack, shop, seconds=120) == {}


async def _told(stack: FaultStack, shop: Shop, what: str) -> int:
    """Count the facts of a kind about the account."""
    async with stack.database() as connection:
        return int(
            await connection.fetchval(
                "select count(*) from account.archive where key = $1 and type = $2",
                shop.account_id,
                f"hanro.account.{what}.v1",
            )
        )


async def _restart(stack: FaultStack, name: str) -> None:
    pid = stack.kill(name)
    await asyncio.to_thread(stack.await_back, name, pid)


def _rewrap(stack: FaultStack, name: str) -> str:
    """Run the command as an operator does, with the environment of the service."""
    child = next(one for one in stack.parts.children if one.name == name)
    *program, _role = child.command.arguments
    done = subprocess.run(
        [*program, "rewrap"], env=child.command.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
