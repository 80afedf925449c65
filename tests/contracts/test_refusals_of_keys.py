"""A key that is wrong, and one that dies in flight, on the run's stack; and what the gateway keeps to itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from running_stack import Linked, doors
from sellers import Seller, is_stored, open_sellers

from hanro_local.demo import marketplace
from hanro_local.demo.api import until
from hanro_local.demo.shop import wait_for_state
from hanro_local.stack import Stack

SECONDS = 30.0


@pytest.fixture
async def seller(shared_stack: Stack) -> AsyncIterator[Seller]:
    async with open_sellers(shared_stack, "鍵の店") as sellers:
        yield sellers["鍵の店"]


async def test_a_wrong_key_activates_nothing_and_says_what_to_do_where(seller: Seller) -> None:
    key = seller.shop["license_key"]
    wrong = key[:-4] + ("0000" if not key.endswith("0000") else "1111")
    await seller.enter(license_key=wrong)
    checked: dict[str, Any] = {}

    async def is_checked() -> bool:
        path = f"/v1/accounts/{seller.account_id}/preflights"
        found = (await seller.doors.hanro.call("GET", path)).json()["items"]
        checked.update(found[0] if found else {})
        return bool(found) and "denied" in str(found[0])

    await until(SECONDS, is_checked)
    account = await seller.account()
    assert account["state"] == "draft"
    told = str(checked) + str(account)
    assert "rpay.order.searchOrder" in told
    assert all(word in told for word in ("'menu'", "'steps'", "'ja'", "'en'"))
    assert wrong not in told
    await seller.enter()
    await wait_for_state(seller.doors.hanro, seller.account_id, ("active", "degraded"))


async def test_a_key_that_dies_in_flight_pauses_its_account_alone_and_a_new_one_fills_the_gap(
    seller: Seller, linked: Linked
) -> None:
    await seller.enter()
    await wait_for_state(seller.doors.hanro, seller.account_id, ("active", "degraded"))
    first = await seller.sell()
    await until(SECONDS, lambda: seller.stored(first))

    await seller.doors.simulator.call("POST", f"/_sim/shops/{seller.shop['id']}/keys/expire")
    missed = await seller.sell()
    suspended = await wait_for_state(seller.doors.hanro, seller.account_id, ("suspended",))
    assert suspended["next_step"]
    # Nobody else waits for it.
    other = (await marketplace.place(seller.doors.simulator, is_plain=True))[0]
    await until(SECONDS, lambda: is_stored(seller.doors, linked.account.account_id, other))
    assert not await seller.stored(missed)

    path = f"/_sim/shops/{seller.shop['id']}/keys/issue"
    seller.shop |= (await seller.doors.simulator.call("POST", path, {"active_after_seconds": 0})).json()
    await seller.enter()
    await wait_for_state(seller.doors.hanro, seller.account_id, ("active", "degraded"))
    await until(SECONDS, lambda: seller.stored(missed))


@pytest.mark.parametrize(
    "path",
    [
        "/internal/v1/accounts/acc_1/credentials:vend",
        "/internal",
        "/metrics",
        "/readyz",
        "/v1/orders/../../internal/v1/x",
    ],
)
async def test_the_gateway_keeps_what_is_internal_to_itself(shared_stack: Stack, path: str) -> None:
    async with doors(shared_stack) as opened:
        for method in ("GET", "POST"):
            answer = await opened.hanro.call(method, path, {"service": "x", "purpose": "x"}, expected=(404,))
            assert answer.headers["content-type"] == "application/problem+json"
