"""Row O20: lines are accepted and refused each for itself, before a deadline that is shown and told of in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from running_stack import Linked, doors
from sandbox_shop import SandboxShop
from test_one_order import stored, told_of

from hanro_local.demo import marketplace
from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 60.0
DECIDED_WITHIN = timedelta(days=3)
"""So long the sandbox waits for an answer."""
ANSWERS = "/v1/orders/answer"
DUE = "hanro.order.decision_due.v1"


def placed_to_decide_by(moment: datetime) -> str:
    return (moment - DECIDED_WITHIN).replace(microsecond=0).isoformat()


@pytest.mark.row("O20", kind="walks")
async def test_lines_are_accepted_and_refused_each_for_itself_and_the_deadline_is_told_of_once(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        deadline = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
        number = await played.buy({}, {}, {}, placed_at=placed_to_decide_by(deadline))
        order = await played.order(number, status="new")
        assert [datetime.fromisoformat(line["decide_by"]) for line in order["lines"]] == [deadline] * 3
        assert datetime.fromisoformat(order["decide_by"]) == deadline
        path, day = f"/v1/orders/{order['id']}", (deadline + timedelta(days=2)).date().isoformat()
        yes = {"line_ids": [order["lines"][0]["id"]], "ships_on": day, "ships_from": "JP"}
        accepted = await played.over(f"{path}:accept", yes)
        no = {"line_ids": [order["lines"][1]["external_id"]], "note": "売り切れました"}
        refused = await played.over(f"{path}:refuse", no)
        assert [(one["status"], one["failure"]) for one in (accepted, refused)] == [("applied", None)] * 2

        def lines_of(shown: dict[str, Any]) -> list[str]:
            return [line["status"] for line in shown["lines"]]

        shown = order

        async def is_due() -> bool:
            nonlocal shown
            shown = (await opened.hanro.call("GET", path)).json()
            return bool(lines_of(shown) == ["ready", "cancelled", "new"] and shown["decide_soon"])

        await until(SECONDS, is_due)
        assert datetime.fromisoformat(shown["decide_by"]) == deadline
        there = await played.there("GET", f"/orders/{number}")
        assert [line["answer"] for line in there["lines"]] == ["accept", "refuse", None]
        assert there["lines"][0]["ship_by"] == day
        assert await played.writes(number) == [ANSWERS, ANSWERS]

        before = (deadline + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        listed = f"/v1/orders?account_id={sandbox.account_id}&decide_before={before}"
        assert order["id"] in [one["id"] for one in (await opened.hanro.call("GET", listed)).json()["items"]]
        due = [fact for fact in await played.facts(order["id"]) if fact["type"] == DUE]
        assert len(due) == 1
        waiting = [line["decide_by"] for line in due[0]["data"]["lines"] if line["decide_by"]]
        assert {datetime.fromisoformat(one) for one in waiting} == {deadline}

    events = await told_of(sandbox.running.kafka, order["id"])
    assert [event.id for event in events if event.type == DUE] == [due[0]["id"]]


@pytest.mark.row("O20", kind="refuses")
@pytest.mark.row("O8", kind="refuses")
@pytest.mark.row("JP4", kind="refuses")
async def test_what_is_too_late_decided_or_unknown_is_refused_by_name_and_nothing_goes_out(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        past = placed_to_decide_by(datetime.now(UTC) - timedelta(minutes=5))
        late, decided = await played.buy(placed_at=past), await played.buy(state="ready")
        path = f"/v1/orders/{(await played.order(late, status='new'))['id']}"
        for verb in ("accept", "refuse"):
            assert (await played.refused(f"{path}:{verb}"))["code"] == "decision-too-late"
        unknown = await played.refused(f"{path}:accept", {"line_ids": ["no-such-line"]})
        assert (unknown["code"], unknown["errors"][0]["pointer"]) == ("line-unknown", "/line_ids")
        path = f"/v1/orders/{(await played.order(decided, status='ready'))['id']}"
        assert (await played.refused(f"{path}:refuse"))["code"] == "already-decided"
        unpaid = await played.buy(state="pending")
        held = await played.order(unpaid, holds=["payment"])
        problem = await played.refused(f"/v1/orders/{held['id']}:accept")
        assert problem["code"] == "order-held"
        assert held["hold_reasons"][0]["en"] in problem["remedy"]["en"]
        await played.there("POST", f"/orders/{unpaid}/pay")
        await played.order(unpaid, holds=[], status="new")
        assert [await played.writes(number) for number in (late, decided, unpaid)] == [[], [], []]


@pytest.mark.row("O20", kind="refuses")
async def test_where_a_marketplace_takes_whole_orders_alone_the_answer_says_why_and_where_it_is_done(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        number = (await marketplace.place(opened.simulator))[0]
        order = await stored(opened.hanro, linked.account.account_id, number)
        # Buyers come as they like: some order one line, some in advance, which is held.
        while len(order["lines"]) < 2 or order["holds"]:
            number = (await marketplace.place(opened.simulator))[0]
            order = await stored(opened.hanro, linked.account.account_id, number)
        path = f"/v1/orders/{order['id']}"
        one_line = {"line_ids": [order["lines"][0]["id"]]}
        refused = (await opened.hanro.call("POST", f"{path}:accept", one_line, expected=(501,))).json()
        assert (refused["code"], "明細だけ" in refused["remedy"]["ja"]) == ("absent", True)
        refused = (await opened.hanro.call("POST", f"{path}:refuse", expected=(501,))).json()
        assert (refused["code"], refused["menu"]["steps"][0]) == ("absent", "RMS")
        assert "キャンセル" in refused["remedy"]["ja"]
