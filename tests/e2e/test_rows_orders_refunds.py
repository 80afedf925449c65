"""Row O22: what a marketplace's payment records report as paid back, from REST to the marketplace's journal."""

from typing import Any

import pytest
from row_shops import Row
from running_stack import doors
from sandbox_shop import SandboxShop
from test_rows_orders_finding import asked_for, done, order, placed

GET_PAYMENT = "/es/2.0/order/getPayment"
GRANT = "rpay.order.getPayment"
COMPLETED = 700
PAYMENTS = {"details": ["payment"]}
# What a refund must leave alone.
ALONE = ("status", "work_state", "lines", "totals", "claims", "milestones", "holds")


async def payments_asked(row: Row, since: int) -> int:
    """Count the payment records that the marketplace was asked for behind a place in its journal."""
    return (await asked_for(row, since)).count(GET_PAYMENT)


async def shown(row: Row, known: dict[str, Any]) -> dict[str, Any]:
    """Look at an order."""
    found: dict[str, Any] = (await row.doors.hanro.call("GET", f"/v1/orders/{known['id']}")).json()
    return found


@pytest.mark.row("O22", kind="walks")
async def test_refunds_of_a_payment_are_read_when_asked_for_once_each_and_stay(working: Row) -> None:
    number = await placed(working, progress=COMPLETED)
    known = await order(working, number)
    assert (known["refunds"], known["refunds_read_at"]) == ([], None)
    there, path = f"/orders/{number}", f"/v1/orders/{known['id']}:fetch"
    await working.simulator("POST", f"{there}/refund", {"amount": 1200})
    await working.simulator("POST", f"{there}/refund", {"amount": 300, "status": 30500, "expected_on": "2026-12-31"})

    since = await working.seller.place_in_journal()
    assert (await done(working, path))["status"] == "applied"
    assert await payments_asked(working, since) == 0
    assert (await shown(working, known))["refunds_read_at"] is None
    assert (await done(working, path, PAYMENTS))["status"] == "applied"
    assert await payments_asked(working, since) == 1

    told = await shown(working, known)
    records = (await working.simulator("GET", there))["refunds"]
    assert [
        (one["payment_id"], one["amount"]["text"], one["amount"]["currency"], one["status"], one["status_text"])
        for one in told["refunds"]
    ] == [(f"{number}-1", "1200", "JPY", "done", "30600"), (f"{number}-1", "300", "JPY", "open", "30500")]
    ended, open_ = told["refunds"]
    assert ended["completed_at"].endswith("Z")
    assert (open_["completed_at"], open_["details"]["payExpectDate"]) == (None, "2026-12-31")
    assert [one["details"]["paymentProcCmplDatetime"] for one in told["refunds"]] == [
        record["paymentProcCmplDatetime"] for record in records
    ]
    assert {name: told[name] for name in ALONE} == {name: known[name] for name in ALONE}

    # Neither a second reading nor one that does not ask for payments makes them more, or fewer.
    wish = {"account_id": working.seller.account_id, "external_ids": [number], **PAYMENTS}
    assert (await done(working, "/v1/orders:fetch", wish))["status"] == "applied"
    assert (await done(working, path))["status"] == "applied"
    again = await shown(working, known)
    assert {name: again[name] for name in (*ALONE, "refunds")} == {name: told[name] for name in (*ALONE, "refunds")}
    assert again["refunds_read_at"] > told["refunds_read_at"]
    assert await payments_asked(working, since) == 2

    await working.doors.hanro.call("POST", f"/v1/orders/{known['id']}:erase-buyer")
    erased = await shown(working, known)
    assert (erased["personal"], erased["refunds"]) == (None, told["refunds"])


@pytest.mark.row("O22", kind="refuses")
async def test_payments_are_not_asked_for_without_the_function_and_orders_are_read_all_the_same(draft: Row) -> None:
    await draft.simulator("PUT", f"/grants/{GRANT}", {"enabled": False})
    await draft.seller.begin()
    known = await order(draft, await placed(draft, progress=COMPLETED))
    path = f"/v1/orders/{known['id']}:fetch"
    await draft.simulator("POST", f"/orders/{known['external_id']}/refund", {"amount": 500})
    since = await draft.seller.place_in_journal()
    refused = (await draft.doors.hanro.call("POST", path, PAYMENTS, expected=(409,))).json()
    assert (refused["code"], refused["kind"]) == ("grant-missing", "needs-seller")
    assert refused["remedy"]["ja"]
    problem = (await draft.doors.hanro.call("POST", path, {"details": ["label"]}, expected=(422,))).json()
    assert [one["pointer"] for one in problem["errors"]] == ["/details/0"]
    assert (await done(draft, path))["status"] == "applied"
    assert await payments_asked(draft, since) == 0
    told = await shown(draft, known)
    assert (told["refunds"], told["refunds_read_at"]) == ([], None)


@pytest.mark.row("O22", kind="walks")
async def test_a_refund_that_was_asked_for_here_stands_in_the_payment_once_it_is_read(sandbox: SandboxShop) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        number = await played.buy({"quantity": 2}, state="ready")
        known = await played.order(number, status="ready")
        path = f"/v1/orders/{known['id']}"
        part = {"line_id": known["lines"][0]["id"], "quantity": 0, "refund": {"amount": "50", "currency": "JPY"}}
        cut = await played.over(f"{path}:cancel", {"lines": [part], "reason": "damaged"})
        assert cut["status"] == "applied", cut["failure"]
        assert (await played.over(f"{path}:fetch", PAYMENTS))["status"] == "applied"
        (refund,) = (await played.order(number))["refunds"]
        assert (refund["payment_id"], refund["status"], refund["amount"]["text"]) == (f"{number}-1", "done", "50")
