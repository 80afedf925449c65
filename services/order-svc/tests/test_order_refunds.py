"""Proves that refunds come from payment records alone: once each, by the newest look that asked, and never as more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from order_edge import parts_for, serve
from order_playground import (
    GRANT,
    PAYMENT_GRANT,
    Playground,
    activated,
    advanced,
    means_for,
    prepare,
    recorded,
    tell,
)
from order_sightings import NAME, NOON, account, seen, yen

from hanro.db import Database
from hanro.errors import NeedsSeller
from hanro.events.accounts import GrantSeen
from hanro.events.orders import OrderChanged, OrderPlaced
from hanro.marketplace.types import (
    Amount,
    Capability,
    Detail,
    Moment,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SeenOrder,
)
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc import orders as using
from order_svc.api import asking, operations, orders
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability
from order_svc.domain.reconcile import Change, reconcile
from order_svc.poller import Means, Poller, Reader
from order_svc.store.order_rows import Document, document_of

pytestmark = pytest.mark.schema("orders", prepare)

LATER = NOON + timedelta(minutes=5)
NUMBER = seen().external_id
PAYMENTS = {"details": ["payment"]}
LACKING = frozenset({Detail.PAYMENT})


def refund(amount: int = 300, status: RefundStatus = RefundStatus.DONE) -> Refund:
    return Refund(
        amount=yen(amount),
        status=status,
        status_text="30600",
        completed=Moment(at=NOON, local="2026-03-01T21:00:00+0900") if status is RefundStatus.DONE else None,
        details={"payExpectDate": "2026-03-02"},
    )


def paid(*refunds: Refund, at: datetime = NOON, **changed: Any) -> SeenOrder:
    """Give a look that asked for payments, with these refunds."""
    payment = Payment(
        method="クレジットカード",
        code="1",
        status=PaymentStatus.PAID,
        is_run_by_marketplace=True,
        amount=yen(2480),
        external_id=f"{NUMBER}-1",
        refunds=refunds,
        details={"holder": NAME},
    )
    return replace(seen(at=at), payments=(payment,), **changed)


def unasked(at: datetime, *, status: OrderStatus = OrderStatus.NEW, code: str | None = "1") -> SeenOrder:
    """Give a look that did not ask for payments; `code` is the way of payment that the order names, None: none."""
    own = Payment(
        method="カード", code=code, status=PaymentStatus.UNKNOWN, is_run_by_marketplace=True, details={"brand": "VISA"}
    )
    return replace(seen(at=at, status=status, lacks=LACKING), payments=() if code is None else (own,))


def look(known: Order | None, sighting: SeenOrder) -> Change | None:
    return reconcile(known, sighting, account=account(), route="fetch", at=LATER)


def after(known: Order | None, *sightings: SeenOrder) -> Order:
    for sighting in sightings:
        change = look(known, sighting)
        known = change.order if change else known
    assert known is not None
    return known


def amounts(order: Order) -> list[str]:
    return [one.amount.text for one in order.refunds if one.amount]


def test_a_refund_is_told_as_stated_and_changes_nothing_else() -> None:
    known = after(None, unasked(NOON))
    change = look(known, paid(refund(300), refund(50, RefundStatus.OPEN), at=LATER))
    assert change is not None
    assert type(change.fact) is OrderChanged
    told = change.fact.refunds
    assert [(one.payment_id, one.method, one.status, one.status_text) for one in told] == [
        (f"{NUMBER}-1", "クレジットカード", "done", "30600"),
        (f"{NUMBER}-1", "クレジットカード", "open", "30600"),
    ]
    assert [one.completed_at for one in told] == [NOON, None]
    assert told[0].amount is not None
    assert (told[0].amount.text, told[0].amount.currency) == ("300", "JPY")
    order = change.order
    assert (order.status, order.lines, order.claims, order.totals) == (
        known.status,
        known.lines,
        known.claims,
        known.totals,
    )
    assert NAME not in document_of(order) + order.sheet


def test_a_refund_that_is_not_decided_or_not_told_has_no_amount() -> None:
    undecided = replace(refund(), amount=Amount(text="-9999", money=None), completed=None)
    first, second = after(None, paid(undecided, replace(refund(), amount=None))).refunds
    assert first.amount is not None
    assert (first.amount.text, first.amount.amount, first.amount.currency) == ("-9999", None, None)
    assert (second.amount, first.completed_at) == (None, None)


def test_a_second_reading_doubles_nothing_and_a_later_one_restates_all() -> None:
    known = after(None, paid(refund(300)))
    assert look(known, paid(refund(300), at=LATER)) is None
    assert amounts(after(known, paid(refund(300), refund(300), at=LATER))) == ["300", "300"]
    assert amounts(after(known, paid(at=LATER))) == []


def test_a_look_that_does_not_ask_keeps_them_and_one_that_is_older_takes_nothing_back() -> None:
    known = after(None, paid(refund(300)))
    kept = after(known, unasked(LATER, status=OrderStatus.SHIPPED))
    assert (kept.status, amounts(kept), kept.refunds_read_at) == ("shipped", ["300"], NOON)
    assert look(kept, paid(at=NOON - timedelta(minutes=1))) is None
    assert look(kept, paid(at=NOON)) is None


def test_of_a_look_that_a_sweep_overtook_the_refunds_count_alone() -> None:
    """Reading payments takes a request an order."""
    known = after(None, unasked(NOON), unasked(LATER, status=OrderStatus.SHIPPED))
    between = NOON + timedelta(minutes=1)
    change = look(known, paid(refund(300), at=between))
    assert change is not None
    assert (change.order.status, change.order.seen_at, change.order.version) == ("shipped", LATER, known.version + 1)
    assert (amounts(change.order), change.order.refunds_read_at) == (["300"], between)
    assert (change.personal, change.raw) == (None, None)
    assert look(change.order, unasked(NOON)) is None


def test_what_was_read_of_a_payment_stays_while_it_is_the_same_way_to_pay() -> None:
    known = after(None, paid(refund(300)))

    def stated(order: Order) -> tuple[bool, bool]:
        return f"{NUMBER}-1" in order.sheet, '"status":"paid"' in order.sheet

    for code in ("1", None):
        assert stated(after(known, unasked(LATER, status=OrderStatus.SHIPPED, code=code))) == (True, True)
    other = after(known, unasked(LATER, status=OrderStatus.SHIPPED, code="9"))
    assert (stated(other), amounts(other)) == ((False, False), ["300"])


def test_an_order_and_a_fact_of_before_refunds_were_told_are_read() -> None:
    order = after(None, unasked(NOON))
    old = Document.model_validate_json(document_of(order).replace('"refunds":[],', ""))
    assert old.refunds == ()
    change = look(None, unasked(NOON))
    assert change is not None
    told = change.fact.model_dump(mode="json")
    del told["refunds"]
    assert OrderPlaced.model_validate(told).refunds == ()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def playground() -> Playground:
    return Playground(keeps_payments=True)


@pytest.fixture
def means(db: Database, playground: Playground, clock: FixedClock) -> Means:
    return means_for(db, playground, clock)


@pytest.fixture
async def client(urls: SchemaUrls, means: Means, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    parts = parts_for(urls)
    absent = {**Playground.capabilities}
    del absent[Capability.READ_PAYMENTS]
    abilities = {
        "playground": Ability(supports=Playground.capabilities, grants=Playground.grants),
        "lesser": Ability(supports=absent, grants=(GRANT,)),
    }
    try:
        async with serve(
            parts,
            orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
            operations.make_routes(parts.idempotency, abilities),
            asking.make_routes(parts.idempotency, means.plugins, abilities, clock),
        ) as made:
            yield made
    finally:
        await parts.close()


async def work(means: Means) -> None:
    while await Reader(means).read_due(asyncio.Event()):
        pass


async def bought(means: Means, playground: Playground, *sightings: SeenOrder) -> None:
    await tell(means.db, activated())
    playground.buy(*sightings)
    await Poller(means).poll_due(asyncio.Event())


async def shown(client: httpx.AsyncClient) -> dict[str, Any]:
    order_id = (await client.get("/v1/orders")).json()["items"][0]["id"]
    found: dict[str, Any] = (await client.get(f"/v1/orders/{order_id}")).json()
    return found


async def ask(client: httpx.AsyncClient, means: Means, body: object = None) -> dict[str, Any]:
    """Ask for the only order again, and give the operation as it is once all is done that can be."""
    asked = await client.post(f"/v1/orders/{(await shown(client))['id']}:fetch", json=body)
    assert asked.status_code == 202, asked.text
    await work(means)
    done: dict[str, Any] = (await client.get(asked.headers["location"])).json()
    return done


@pytest.mark.row("O22", kind="walks")
async def test_refunds_are_read_when_they_are_asked_for_though_the_orders_bytes_are_the_same(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund(300)))
    assert (await ask(client, means))["status"] == "applied"
    before = await shown(client)
    assert (before["refunds"], before["refunds_read_at"], before["version"]) == ([], None, 1)
    assert playground.calls("details") == []
    done = await ask(client, means, PAYMENTS)
    assert (done["status"], done["asked"]["details"]) == ("applied", ["payment"])
    told = await shown(client)
    assert told["version"] == 2
    assert told["refunds"] == [
        {
            "payment_id": f"{NUMBER}-1",
            "method": "クレジットカード",
            "amount": {"text": "300", "amount": "300", "currency": "JPY"},
            "status": "done",
            "status_text": "30600",
            "requested_at": None,
            "completed_at": "2026-03-01T12:00:00Z",
            "details": {"payExpectDate": "2026-03-02"},
        }
    ]
    assert told["refunds_read_at"] == "2026-03-01T12:00:00Z"
    assert told["stated"]["payments"][0]["external_id"] == f"{NUMBER}-1"
    assert (await client.get("/v1/orders")).json()["items"][0]["refunds"] == told["refunds"]
    playground.buy(paid(refund(300), at=LATER))
    await ask(client, means, PAYMENTS)
    again = await shown(client)
    assert (again["version"], again["refunds_read_at"]) == (2, "2026-03-01T12:05:00Z")
    playground.buy(replace(advanced(paid(at=LATER), OrderStatus.SHIPPED), payments=paid().payments))
    await ask(client, means)
    swept = await shown(client)
    assert (swept["status"], swept["refunds"]) == ("shipped", told["refunds"])
    assert [kind.split(".")[2] for kind, _ in await recorded(means.db)] == ["placed", "changed", "shipped"]


async def test_a_few_orders_are_asked_for_at_once_since_each_takes_a_request(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    playground.limits = replace(
        playground.limits, batches={"orders.fetch": replace(playground.limits.batches["orders.fetch"], size=100)}
    )
    await bought(means, playground, *(replace(paid(refund()), external_id=f"n-{place}") for place in range(12)))
    wanted = {"account_id": "acc_1", "external_ids": [f"n-{place}" for place in range(12)]}
    asked: list[tuple[dict[str, Any], list[int]]] = [(wanted, [12]), (wanted | PAYMENTS, [5, 5, 2])]
    for body, sizes in asked:
        playground.journal.clear()
        assert (await client.post("/v1/orders:fetch", json=body)).status_code == 202
        await work(means)
        assert [len(numbers) for numbers in playground.calls("fetch") if isinstance(numbers, tuple)] == sizes
    assert {len(one["refunds"]) for one in (await client.get("/v1/orders")).json()["items"]} == {1}


async def test_who_asks_for_payments_does_not_get_a_reading_without(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund()))
    path = f"/v1/orders/{(await shown(client))['id']}:fetch"
    bodies: tuple[object, ...] = (None, PAYMENTS, PAYMENTS, {"details": []})
    plain, more, same, less = [(await client.post(path, json=body)).json()["id"] for body in bodies]
    assert plain != more == same == less


async def test_an_erased_buyer_leaves_the_refunds_and_nobody(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund(300)))
    await ask(client, means, PAYMENTS)
    before = await shown(client)
    async with means.db.begin() as tx:
        await buyers.erase(tx, before["id"], account_ids=None, by="tester")
    erased = await shown(client)
    assert erased["refunds"] == before["refunds"]
    playground.buy(paid(refund(300), refund(50), at=LATER))
    await ask(client, means, PAYMENTS)
    assert [one["amount"]["text"] for one in (await shown(client))["refunds"]] == ["300", "50"]
    async with means.db.begin() as tx:
        (row,) = await tx.fetch("select document::text || sheet::text as kept from orders")
        assert await tx.fetch("select 1 from buyers") == []
    assert NAME not in row["kept"]


@pytest.mark.row("O22", kind="refuses")
async def test_payments_are_asked_for_only_where_they_are_told_and_the_grant_is_there(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund()))
    path = f"/v1/orders/{(await shown(client))['id']}:fetch"
    wrong = await client.post(path, json={"details": ["label"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/details/0")
    lost = GrantSeen(grant_id=PAYMENT_GRANT.id, state="denied")
    await tell(means.db, activated(2, state="degraded", grants=(lost,), lost_capabilities=("read_payments",)))
    refused = await client.post(path, json=PAYMENTS)
    assert (refused.status_code, refused.json()["code"]) == (409, "grant-missing")
    assert "getPayment" in refused.json()["detail"]
    assert (await ask(client, means))["status"] == "applied"
    await tell(means.db, activated(3, id="acc_2", account_id="acc_2", marketplace_id="lesser"))
    elsewhere = {"account_id": "acc_2", "external_ids": [NUMBER], **PAYMENTS}
    absent = await client.post("/v1/orders:fetch", json=elsewhere)
    assert (absent.status_code, absent.json()["code"]) == (501, "absent")
    assert playground.calls("details") == []
    assert (await shown(client))["refunds_read_at"] is None


async def test_a_grant_that_turns_out_to_be_lost_is_waited_for_and_the_order_stays(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund()))
    playground.failures = [NeedsSeller("off", code="grant-missing", grant_id=PAYMENT_GRANT.id)]
    asked = await client.post(f"/v1/orders/{(await shown(client))['id']}:fetch", json=PAYMENTS)
    await Reader(means).read_due(asyncio.Event())
    waits = (await client.get(asked.headers["location"])).json()
    assert (waits["status"], waits["failure"]["code"]) == ("accepted", "grant-missing")
    told = await shown(client)
    assert (told["refunds"], told["quarantine"], told["version"]) == ([], None, 1)
    await work(means)
    assert len((await shown(client))["refunds"]) == 1


async def test_an_order_is_not_held_back_because_its_payment_alone_cannot_be_read(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, paid(refund()))
    playground.garbled = {NUMBER}
    playground.buy(replace(advanced(paid(), OrderStatus.SHIPPED), payments=()))
    done = await ask(client, means, PAYMENTS)
    assert (done["status"], [one["status"] for one in done["answer"]["outcomes"]]) == ("applied", ["without_details"])
    told = await shown(client)
    assert (told["status"], told["quarantine"], told["refunds_read_at"]) == ("shipped", None, None)
    assert [one for one in playground.calls("details") if isinstance(one, tuple)] == [({Detail.PAYMENT}, 1)]


async def test_what_is_stored_late_counts_for_refunds_alone(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await bought(means, playground, unasked(LATER))
    late = paid(refund(300), at=NOON)
    await using.ingest_fetched(
        means.db,
        means.keyring,
        [late],
        account=account(),
        plugin=playground.plugin(),
        at=LATER,
        details=frozenset({Detail.PAYMENT}),
    )
    told = await shown(client)
    assert [one["amount"]["text"] for one in told["refunds"]] == ["300"]
    assert told["refunds_read_at"] == "2026-03-01T12:00:00Z"
    assert told["stated"]["payments"] == []
