"""Keys that are blank, wrong, dead or die in flight, on the run's stack; and what the gateway keeps to itself."""

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


@pytest.mark.parametrize("kind", ["wrong", "expired", "revoked"])
async def test_a_key_that_does_not_work_activates_nothing_and_says_what_to_do_where(seller: Seller, kind: str) -> None:
    key = seller.shop["license_key"]
    used = key if kind != "wrong" else key[:-4] + ("0000" if not key.endswith("0000") else "1111")
    if kind != "wrong":
        action = {"expired": "expire", "revoked": "revoke"}[kind]
        await seller.doors.simulator.call("POST", f"/_sim/shops/{seller.shop['id']}/keys/{action}")
    await seller.enter(license_key=used)
    denied: list[dict[str, Any]] = []

    async def is_checked() -> bool:
        ended = [run for run in await seller.preflights() if run["finished_at"]]
        denied[:] = [row for run in ended for row in run["rows"] if row["state"] == "denied"]
        return bool(denied)

    await until(SECONDS, is_checked)
    account = await seller.account()
    assert (account["state"], account["is_working"]) == ("draft", False)
    assert "rpay.order.searchOrder" in {row["grant_id"] for row in denied}
    for row in denied:
        assert row["menu"]["steps"]
        assert all(remedy["ja"] and remedy["en"] for remedy in row["remedies"])
        assert row["remedies"]
    step = account["next_step"]
    assert (bool(step["text"]["ja"]), bool(step["menu"]["steps"]), bool(step["grant_id"])) == (True, True, True)
    assert used not in str(denied) + str(account)

    await seller.issue_key()
    await seller.begin()


@pytest.mark.parametrize("blank", ["", "   ", "\u3000"])
async def test_a_blank_key_is_refused_by_its_field_with_the_menu_path(seller: Seller, blank: str) -> None:
    path = f"/v1/accounts/{seller.account_id}"
    hanro = seller.doors.hanro
    answers = [
        await hanro.call("PUT", f"{path}/credentials", body, expected=(422,))
        for body in (seller.form(license_key=blank), seller.form(service_secret=blank))
    ]
    for answer, field in zip(answers, ("license_key", "service_secret"), strict=True):
        problem = answer.json()
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(f"/values/{field}", "field-missing")]
        assert problem["menu"]["steps"]
    # There is nothing to check, and that is said in the same way.
    unchecked = (await hanro.call("POST", f"{path}:preflight", expected=(409,))).json()
    assert (unchecked["code"], bool(unchecked["menu"]["steps"])) == ("credentials-missing", True)
    assert unchecked["remedy"]["ja"]
    account = await seller.account()
    assert (account["state"], account["credentials"]["version"]) == ("draft", 0)
    assert account["next_step"]["menu"]["steps"]
    assert await seller.preflights() == []


async def test_a_blank_key_takes_nothing_from_an_account_that_works(seller: Seller) -> None:
    await seller.begin()
    body = seller.form(license_key="")
    await seller.doors.hanro.call("PUT", f"/v1/accounts/{seller.account_id}/credentials", body, expected=(422,))
    account = await seller.account()
    assert (account["is_working"], account["credentials"]["version"]) == (True, 1)
    number = await seller.sell()
    await until(SECONDS, lambda: seller.stored(number))


async def _is_looked_at(seller: Seller) -> bool:
    return all(run["finished_at"] for run in await seller.preflights())


async def test_a_key_that_dies_in_flight_pauses_its_account_alone_and_a_new_one_fills_the_gap(
    seller: Seller, linked: Linked
) -> None:
    await seller.begin()
    first = await seller.sell()
    await until(SECONDS, lambda: seller.stored(first))

    await seller.doors.simulator.call("POST", f"/_sim/shops/{seller.shop['id']}/keys/expire")
    missed = await seller.sell()
    suspended = await wait_for_state(seller.doors.hanro, seller.account_id, ("suspended",))
    assert (suspended["next_step"]["grant_id"] is not None, bool(suspended["next_step"]["menu"])) == (True, True)
    # Its work pauses, and nobody else waits for it. What asked for the functions ends first.
    await until(SECONDS, lambda: _is_looked_at(seller))
    calls = await seller.calls()
    other = (await marketplace.place(seller.doors.simulator, is_plain=True))[0]
    await until(SECONDS, lambda: is_stored(seller.doors, linked.account.account_id, other))
    assert not await seller.stored(missed)
    assert await seller.calls() == calls

    await seller.issue_key()
    await seller.begin()
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
