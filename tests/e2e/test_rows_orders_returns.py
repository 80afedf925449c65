"""Rows O10 and O22 where a marketplace takes all of it: lines, units, claims, returns and refunds, each cause once."""

from decimal import Decimal
from typing import Any

import pytest
from running_stack import doors
from sandbox_shop import ON_HAND, SECONDS, Played, SandboxShop

from hanro_local.demo.api import until

CANCELLATIONS, ANSWERS = "/v1/orders/cancel", "/v1/orders/answer"
PRICE = 540


def units(shown: dict[str, Any], *names: str) -> list[tuple[int, ...]]:
    """Give figures of an order's lines."""
    return [tuple(line[f"{name}_quantity" if name else "quantity"] for name in names) for line in shown["lines"]]


async def cancel(played: Played, order: dict[str, Any], reason: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """Cancel units of lines or give money back, and give the operation once it is over."""
    return await played.over(f"/v1/orders/{order['id']}:cancel", {"lines": list(lines), "reason": reason})


async def totals_agree(played: Played, number: str, shown: dict[str, Any]) -> bool:
    """Tell whether the sums are the marketplace's own."""
    there = (await played.there("GET", f"/orders/{number}"))["totals"]
    return all(shown["totals"][name]["text"] == str(there[name]) for name in ("goods", "total", "payable"))


async def cut(played: Played, number: str, names: tuple[str, ...], wanted: list[tuple[int, ...]]) -> dict[str, Any]:
    """Wait until an order's lines have these units, and give it: it is read back behind the operation's end."""
    found: dict[str, Any] = {}

    async def is_so() -> bool:
        found.update(await played.order(number))
        return units(found, *names) == wanted

    await until(SECONDS, is_so)
    return found


@pytest.mark.row("O10", kind="walks")
@pytest.mark.row("O10", kind="refuses")
@pytest.mark.row("P14", kind="walks")
@pytest.mark.row("P14", kind="refuses")
async def test_a_line_and_units_of_another_are_cancelled_and_a_buyers_request_is_no_cancellation(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        number = await played.buy({"quantity": 2}, {"quantity": 5}, state="ready")
        order = await played.order(number, status="ready")
        first, second = (line["id"] for line in order["lines"])
        path = f"/v1/orders/{order['id']}"

        await played.there("POST", f"/orders/{number}/request-cancel", {"line": "1", "quantity": 1})
        asked = await played.order(number, holds=["claim"])
        assert asked["cancellation_requested_at"]
        assert (asked["status"], units(asked, "", "cancelled")) == ("ready", [(2, 0), (5, 0)])
        claim = asked["claims"][0]
        assert (claim["kind"], claim["stage"], claim["by"]) == ("cancel", "requested", "buyer")
        said_no = await played.over(f"{path}:answer", {"claim_id": claim["external_id"], "answer": "refuse"})
        assert said_no["status"] == "applied"
        free = await played.order(number, holds=[])
        assert (free["cancellation_requested_at"], units(free, "", "cancelled")) == (None, [(2, 0), (5, 0)])

        done = await cancel(
            played, order, "out_of_stock", {"line_id": first, "quantity": 2}, {"line_id": second, "quantity": 3}
        )
        assert done["status"] == "applied", done["failure"]
        shown = await cut(played, number, ("cancelled", "open"), [(2, 0), (3, 2)])
        assert [line["status"] for line in shown["lines"]] == ["cancelled", "ready"]
        assert await totals_agree(played, number, shown)
        assert await played.writes(number) == [ANSWERS, CANCELLATIONS]

        # Five were sold and three are gone: no third one is left, of the other line none.
        body = {"lines": [{"line_id": second, "quantity": 3}], "reason": "other"}
        refused = await played.refused(f"{path}:cancel", body)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("too-many-units", "/lines")
        assert "2" in refused["remedy"]["en"]
        parcel = {"carrier_code": "yamato", "tracking_number": "123456789012"}
        for lines, code in (
            ([{"line_id": first, "quantity": 1}], "line-cancelled"),
            ([{"line_id": "no-such-line", "quantity": 1}], "line-unknown"),
            ([{"line_id": second, "quantity": 3}], "too-many-units"),
        ):
            refused = await played.refused(f"{path}/shipments", parcel | {"lines": lines})
            assert (refused["code"], refused["errors"][0]["pointer"]) == (code, "/lines")
            assert refused["remedy"]["ja"]
        assert await played.writes(number) == [ANSWERS, CANCELLATIONS]


@pytest.mark.row("O22", kind="walks")
@pytest.mark.row("O22", kind="refuses")
@pytest.mark.row("P12", kind="walks")
@pytest.mark.row("P12", kind="refuses")
async def test_a_return_a_refund_and_a_cancellation_of_one_line_count_once_each_and_never_beyond_what_was_sold(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        number = await played.buy({"quantity": 3, "unit_price": PRICE}, state="shipped")
        order = await played.order(number, status="shipped")
        (line,), path = order["lines"], f"/v1/orders/{order['id']}"
        assert units(order, "shipped", "returned", "cancelled") == [(3, 0, 0)]

        await played.there("POST", f"/orders/{number}/request-return", {"line": "1", "quantity": 1, "reason": "色違い"})
        asked = await played.order(number, holds=["claim"])
        (claim,) = asked["claims"]
        assert (claim["kind"], claim["stage"], claim["line_id"], claim["quantity"]) == ("return", "requested", "1", 1)
        said = {"claim_id": claim["external_id"], "answer": "accept"}
        assert (await played.over(f"{path}:answer", said))["status"] == "applied"
        await played.there("POST", f"/orders/{number}/arrive", {"claim": claim["external_id"]})
        back = await played.order(number, holds=[])
        assert units(back, "shipped", "returned", "cancelled") == [(3, 1, 0)]
        (claim,) = back["claims"]
        assert (claim["stage"], claim["amount"]["amount"], bool(claim["completed_at"])) == ("done", str(PRICE), True)
        assert (await played.refused(f"{path}:answer", said))["code"] == "already-decided"

        too_many = {"lines": [{"line_id": line["id"], "quantity": 4}], "reason": "returned"}
        assert (await played.refused(f"{path}:cancel", too_many))["code"] == "too-many-units"
        kept = {"line_id": line["id"], "quantity": 1, "refund": {"amount": "100", "currency": "JPY"}}
        assert (await cancel(played, order, "damaged", kept))["status"] == "applied"
        # Three left the house, whatever became of them.
        last = await cut(played, number, ("", "shipped", "returned", "cancelled"), [(2, 3, 1, 1)])
        assert [one["amount"]["amount"] for one in last["claims"] if one["amount"]] == [str(PRICE), "100"]
        before, after = (Decimal(one["totals"]["payable"]["amount"]) for one in (order, last))
        assert before - after == PRICE + 100
        assert await totals_agree(played, number, last)
        listed = (await opened.hanro.call("GET", f"{path}/cancellations")).json()["items"]
        assert [(one["state"], one["lines"][0]["refund"]) for one in listed] == [("applied", "100 JPY")]
        assert await played.writes(number) == [ANSWERS, CANCELLATIONS]

        # Seen again as often as it likes to be, nothing of it counts again.
        assert (await played.over(f"{path}:fetch"))["status"] == "applied"
        assert (await played.order(number))["version"] == last["version"]
        assert (await played.stock())["on_hand"] == ON_HAND
