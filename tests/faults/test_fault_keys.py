"""Ciphertexts are copied and key-encryption keys are exchanged while orders arrive: fault 26."""

import asyncio
import secrets
import subprocess

import httpx
import pytest
from fault_checks import await_stored, differences
from fault_forms import form
from fault_journal import calls, sequence
from fault_keys import SEARCH
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import LEASE_SECONDS, FaultStack

pytestmark = pytest.mark.fault
SERVICES = ("account-svc", "order-svc", "catalog-svc", "notifier-svc")


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
        # Also a replica of tests to come seals with the new key: nobody may go on without it.
        for name in SERVICES:
            await _restart(stack, name)
        for name in form(short=SERVICES[:1], whole=SERVICES):
            output = await asyncio.to_thread(_rewrap, stack, name)
            assert output.splitlines()[-1].endswith("0 rows are not under the current key")
        await stack.expire_leases()
        if form(short=False, whole=True):
            (keys / "kek-1.key").unlink()
            for name in SERVICES:
                await _restart(stack, name)
        await stack.wake_account(other.account_id)
        await shop.place(2)
        # What was being read when a process was killed is read again once its lease has run out.
        seconds = form(short=90.0, whole=LEASE_SECONDS + 90.0)
        assert await differences(stack, shop, seconds=seconds) == {}
        assert await differences(stack, other, seconds=seconds) == {}


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
