"""Keys end, change and are copied while orders arrive; account-svc goes away: nothing is lost, nothing comes twice."""

import asyncio
import secrets
import subprocess

import httpx
import pytest
from fault_checks import await_stored, differences, look
from fault_forms import form
from fault_journal import advance, calls, sequence
from fault_keys import (
    SEARCH,
    enter,
    issue,
    until,
)
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack

pytestmark = pytest.mark.fault


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
