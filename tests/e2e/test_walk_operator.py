"""A new operator's walk, steps 2 and 3, in order, over REST: a key dies, a new one is saved, nothing is lost."""

import asyncio

import pytest
from running_stack import Linked
from sellers import is_stored, open_sellers

from hanro_local.demo import marketplace
from hanro_local.demo.api import Api, until
from hanro_local.demo.shop import wait_for_state
from hanro_local.stack import Stack

BAR_SECONDS = 60.0


@pytest.mark.row("A11", kind="walks")
@pytest.mark.row("A14", kind="walks")
async def test_a_key_dies_alone_and_a_new_one_brings_everything_back(shared_stack: Stack, linked: Linked) -> None:
    async with open_sellers(shared_stack, "運用の店") as sellers:
        seller = sellers["運用の店"]
        hanro, simulator = seller.doors.hanro, seller.doors.simulator
        await seller.begin()
        first = await seller.sell()
        await until(BAR_SECONDS, lambda: seller.stored(first))

        # Step 2: the key ends.
        await simulator.call("POST", f"/_sim/shops/{seller.shop['id']}/keys/expire")
        async with asyncio.timeout(BAR_SECONDS):
            suspended = await wait_for_state(hanro, seller.account_id, ("suspended",))
        assert (suspended["label"]["ja"], suspended["is_working"]) == ("無効", False)
        # A key that was entered minutes ago may also be one that settles: the marketplace's 401 does not tell.
        assert suspended["reason"]["code"] in {"credential-refused", "credential-expired", "key-settling"}
        assert suspended["next_step"]["text"]["ja"]
        assert suspended["next_step"]["step_ids"]
        assert "store-credentials" in suspended["possible"]
        told = await _told(seller.doors.hanro, seller.account_id)
        assert told.count("hanro.account.suspended.v1") == 1
        other = (await marketplace.place(simulator, is_plain=True))[0]
        await until(BAR_SECONDS, lambda: is_stored(seller.doors, linked.account.account_id, other))

        # Step 3: an order comes meanwhile, and a new key is saved.
        missed = await seller.sell()
        await seller.issue_key()
        await seller.enter()
        async with asyncio.timeout(BAR_SECONDS):
            await wait_for_state(hanro, seller.account_id, ("active", "degraded"))
        await until(BAR_SECONDS, lambda: seller.stored(missed))
        path = f"/v1/orders?account_id={seller.account_id}&external_id={missed}"
        assert len((await hanro.call("GET", path)).json()["items"]) == 1
        assert (await _told(hanro, seller.account_id)).count("hanro.account.suspended.v1") == 1


async def _told(hanro: Api, account_id: str) -> list[str]:
    """Give the types of the facts that were told of an account, in their order."""
    found: list[str] = []
    after = 0
    while True:
        page = (await hanro.call("GET", f"/v1/account/events?after={after}&limit=200")).json()
        if not page["items"]:
            return found
        found += [one["type"] for one in page["items"] if one["subject"] == account_id]
        after = page["next"]
