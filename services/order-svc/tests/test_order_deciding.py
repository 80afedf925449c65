"""Proves which answers may be given per line, that they go out as asked, and what is refused with a clear word."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from order_asks import store
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import NOON, line, seen

from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.types import (
    Absent,
    Answer,
    Capability,
    Claim,
    ClaimKind,
    ClaimStage,
    DelayReason,
    Hold,
    OrderRef,
    OrderStatus,
    Party,
    SeenOrder,
)
from hanro.service import Parts
from hanro_local.databases import SchemaUrls
from order_svc.api import decisions
from order_svc.domain.permits import Ability
from order_svc.poller import Means
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

TOMORROW = datetime.now(UTC).date() + timedelta(days=1)
BY_HAND = Absent(
    reason=LocalizedText(ja="画面で行います。", en="It is done by hand there."),
    source="invented",
    menu=MenuPath(steps=("受注", "確認")),
)
SINGLE = (Capability.ACCEPT_LINE, Capability.REFUSE_LINE, Capability.ANNOUNCE_DELAY, Capability.ANSWER_CANCELLATION)


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def means(parts: Parts, playground: Playground) -> Means:
    await tell(parts.db, activated(), activated(id="acc_2", account_id="acc_2", marketplace_id="whole"))
    return means_for(parts.db, playground, SystemClock())


@pytest.fixture
async def client(parts: Parts, playground: Playground, means: Means) -> AsyncIterator[httpx.AsyncClient]:
    del means
    ability = Ability(supports=playground.capabilities, grants=playground.grants)
    whole = replace(ability, supports={**ability.supports, **dict.fromkeys(SINGLE, BY_HAND)})
    abilities = {"playground": ability, "whole": whole}
    async with serve(parts, decisions.make_routes(parts.idempotency, abilities)) as made:
        yield made


def lines(*statuses: OrderStatus, **more: Any) -> SeenOrder:
    return seen(lines=tuple(line(str(place), status=one, **more) for place, one in enumerate(statuses, start=1)))


def claimed(
    kind: ClaimKind = ClaimKind.CANCEL, *, stage: ClaimStage = ClaimStage.REQUESTED, by: Party = Party.BUYER
) -> SeenOrder:
    sighting = seen(status=OrderStatus.READY)
    claim = Claim(
        external_id="c-1",
        kind=kind,
        stage=stage,
        status_text=stage.value,
        order=OrderRef(external_id=sighting.external_id),
        line_id="1",
        quantity=1,
        by=by,
        reason="",
        requested=None,
        completed=None,
        amount=None,
    )
    return replace(sighting, claims=(claim,))


async def ask(client: httpx.AsyncClient, order_id: str, verb: str, body: object = None) -> httpx.Response:
    return await client.post(f"/v1/orders/{order_id}:{verb}", json=body)


async def notes(db: Database) -> int:
    async with db.begin() as tx:
        return int((await tx.fetch("select count(*) from decision_notes"))[0][0])


@pytest.mark.row("O20", kind="walks")
async def test_a_line_is_accepted_with_its_day_and_country_and_another_refused(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order = lines(OrderStatus.NEW, OrderStatus.NEW)
    playground.buy(order)
    order_id = await store(means, order)
    taken = await ask(
        client, order_id, "accept", {"line_ids": ["1"], "ships_on": TOMORROW.isoformat(), "ships_from": "FR"}
    )
    refused = await ask(client, order_id, "refuse", {"line_ids": ["2"], "note": "在庫がありません"})
    assert (taken.status_code, refused.status_code, await notes(means.db)) == (202, 202, 1)
    assert "在庫" not in refused.text
    sender = Sender(means)
    # One order's answers go one after the other.
    assert (await sender.send_due(), await sender.send_due(), await sender.send_due()) == (1, 1, 0)
    yes, no = playground.decided
    assert (yes.answer, yes.line_ids, yes.ships_on, yes.ships_from) == (Answer.ACCEPT, ("1",), TOMORROW, "FR")
    assert (no.answer, no.line_ids, no.note) == (Answer.REFUSE, ("2",), "在庫がありません")
    assert await notes(means.db) == 0


@pytest.mark.row("O20", kind="walks")
async def test_a_delay_of_accepted_lines_is_announced(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order = lines(OrderStatus.READY, OrderStatus.SHIPPED)
    playground.buy(order)
    order_id = await store(means, order)
    asked = await ask(client, order_id, "announce-delay", {"ships_on": TOMORROW.isoformat(), "reason": "preparing"})
    assert asked.status_code == 202
    await Sender(means).send_due()
    (delay,) = playground.decided
    assert (delay.delay, delay.ships_on, delay.line_ids) == (DelayReason.PREPARING, TOMORROW, ("1",))


async def test_a_claim_is_answered(client: httpx.AsyncClient, means: Means, playground: Playground) -> None:
    playground.buy(claimed())
    order_id = await store(means, claimed())
    asked = await ask(client, order_id, "answer", {"claim_id": "c-1", "answer": "refuse", "note": "発送済みです"})
    assert asked.status_code == 202
    await Sender(means).send_due()
    (answer,) = playground.decided
    assert (answer.claim_id, answer.answer, answer.line_ids, answer.note) == ("c-1", Answer.REFUSE, (), "発送済みです")


async def test_the_same_answer_twice_is_one_operation_and_another_one_waits_its_turn(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order = lines(OrderStatus.NEW, OrderStatus.NEW)
    playground.buy(order)
    order_id = await store(means, order)
    first, second = [await ask(client, order_id, "refuse", {"line_ids": ["1"]}) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    other = await ask(client, order_id, "accept", {"line_ids": ["1", "2"]})
    assert (other.status_code, other.json()["code"]) == (409, "decision-under-way")
    assert (await ask(client, order_id, "accept")).json()["code"] == "decision-under-way"
    await Sender(means).send_due()
    assert [one.line_ids for one in playground.decided] == [("1",)]


@pytest.mark.row("O20", kind="refuses")
@pytest.mark.parametrize(
    ("order", "asked", "code"),
    [
        (seen(), ("accept", {"line_ids": ["9"]}), "line-unknown"),
        (seen(), ("refuse", {"line_ids": ["9"]}), "line-unknown"),
        (seen(status=OrderStatus.READY), ("accept", {"line_ids": ["1"]}), "already-decided"),
        (seen(status=OrderStatus.READY), ("refuse", None), "already-decided"),
        (lines(OrderStatus.NEW, decide_by=NOON), ("accept", None), "decision-too-late"),
        (lines(OrderStatus.NEW, decide_by=NOON), ("accept", {"line_ids": ["1"]}), "decision-too-late"),
        (lines(OrderStatus.NEW, decide_by=NOON), ("refuse", None), "decision-too-late"),
        (seen(holds=frozenset({Hold.AMOUNT})), ("accept", {"line_ids": ["1"]}), "order-held"),
        (seen(status=OrderStatus.CANCELLED), ("refuse", None), "order-cancelled"),
        (lines(OrderStatus.CANCELLED, OrderStatus.NEW), ("accept", {"line_ids": ["1"]}), "order-cancelled"),
        (seen(status=OrderStatus.PENDING), ("refuse", None), "not-waiting"),
        (seen(), ("accept", {"ships_on": "2020-01-01"}), "day-past"),
        (seen(), ("announce-delay", {"ships_on": "2999-01-01", "reason": "other"}), "not-accepted"),
        (
            seen(status=OrderStatus.SHIPPED),
            ("announce-delay", {"line_ids": ["1"], "ships_on": "2999-01-01", "reason": "other"}),
            "already-shipped",
        ),
        (claimed(), ("answer", {"claim_id": "c-9", "answer": "accept"}), "claim-unknown"),
        (claimed(by=Party.SELLER), ("answer", {"claim_id": "c-1", "answer": "accept"}), "claim-unknown"),
        (claimed(stage=ClaimStage.RUNNING), ("answer", {"claim_id": "c-1", "answer": "accept"}), "already-decided"),
    ],
)
async def test_what_nothing_waits_for_is_refused_with_its_code(
    client: httpx.AsyncClient, means: Means, order: SeenOrder, asked: tuple[str, object], code: str
) -> None:
    answer = await ask(client, await store(means, order), *asked)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.row("O20", kind="refuses")
@pytest.mark.parametrize(
    ("order", "verb", "body"),
    [
        (lines(OrderStatus.NEW, OrderStatus.NEW), "accept", {"line_ids": ["1"]}),
        (seen(), "refuse", None),
        (seen(status=OrderStatus.READY), "announce-delay", {"ships_on": "2999-01-01", "reason": "other"}),
        (claimed(), "answer", {"claim_id": "c-1", "answer": "accept"}),
    ],
)
async def test_what_a_marketplace_has_not_says_why_and_where_it_is_done_by_hand(
    client: httpx.AsyncClient, means: Means, order: SeenOrder, verb: str, body: object
) -> None:
    order_id = await store(means, order)
    async with means.db.begin() as tx:
        await tx.execute("update orders set account_id = 'acc_2', marketplace_id = 'whole'")
    answer = await ask(client, order_id, verb, body)
    assert (answer.status_code, answer.json()["code"]) == (501, "absent")
    assert answer.json()["menu"]


async def test_what_was_shipped_meanwhile_is_not_announced_as_late(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id = await store(means, seen(status=OrderStatus.READY))
    await ask(client, order_id, "announce-delay", {"ships_on": "2999-01-01", "reason": "other"})
    await store(means, seen(status=OrderStatus.SHIPPED, at=NOON + timedelta(seconds=1)))
    await Sender(means).send_due()
    assert playground.decided == []


async def test_a_day_that_has_begun_somewhere_is_not_past(client: httpx.AsyncClient, means: Means) -> None:
    today: date = datetime.now(UTC).date()
    answer = await ask(client, await store(means, seen()), "accept", {"ships_on": today.isoformat()})
    assert answer.status_code == 202
