"""Proves what callers see of an order's sums, holds and buyer, over ASGI on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from note_subjects import NOT_DECIDED, off_by, totals, whole_order
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import EMAIL, NAME, NOON, line, seen, yen

from hanro.errors import LocalizedText
from hanro.marketplace.types import (
    Address,
    AddressKind,
    Amount,
    Buyer,
    Claim,
    ClaimKind,
    ClaimStage,
    Hold,
    Moment,
    OrderRef,
    OrderStatus,
    OrderTime,
    Party,
    PersonName,
    SeenOrder,
    Totals,
)
from hanro.money import Money
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc.api import decisions, orders
from order_svc.domain.holds import text_of
from order_svc.domain.permits import Ability
from order_svc.poller import Poller

pytestmark = pytest.mark.schema("orders", prepare)

PERSONAL = bearer("orders:read", "orders:personal")
RAW = bearer("orders:raw", subject="auditor")
STATES_NONE = Totals(
    goods=None,
    postage=None,
    cash_on_delivery_fee=None,
    payment_fee=None,
    buyer_fee=None,
    seller_fee=None,
    total=None,
    payable=None,
    payout=None,
    is_goods_tax_included=None,
)


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    abilities = {"playground": Ability(supports=Playground.capabilities, grants=Playground.grants)}
    routes = (
        orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
        decisions.make_routes(parts.idempotency, abilities),
    )
    async with serve(parts, *routes) as made:
        yield made


async def found(parts: Parts, sighting: SeenOrder) -> str:
    """Find an order and give its path."""
    await tell(parts.db, activated())
    playground = Playground()
    playground.buy(sighting)
    await Poller(means_for(parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())
    async with parts.db.begin() as tx:
        (row,) = await tx.fetch("select id from orders")
    return f"/v1/orders/{row['id']}"


async def shown(parts: Parts, client: httpx.AsyncClient, sighting: SeenOrder) -> dict[str, Any]:
    """Find an order and give what a caller with the scope for buyers sees."""
    answer = await client.get(await found(parts, sighting), headers=PERSONAL)
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


async def rows(parts: Parts) -> str:
    """Give every row of every table of the schema as text."""
    async with parts.db.begin() as tx:
        names = await tx.fetch(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'orders'::regnamespace"
        )
        found = [await tx.fetch(f"select t::text as row from {name['relname']} t") for name in names]  # noqa: S608  names of Postgres
    return "\n".join(row["row"] for table in found for row in table)


@pytest.mark.row("O8", kind="walks")
@pytest.mark.row("JP4", kind="walks")
async def test_an_order_whose_amount_is_not_fixed_is_kept_with_the_reason_and_no_amount(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    pending = replace(
        seen(status=OrderStatus.PENDING, holds=frozenset({Hold.AMOUNT, Hold.PAYMENT, Hold.PREORDER})),
        totals=totals(postage=NOT_DECIDED, total=NOT_DECIDED, payable=NOT_DECIDED),
    )
    order = await shown(parts, client, pending)
    assert (order["status"], order["holds"]) == ("pending", ["amount", "payment", "preorder"])
    assert [reason["code"] for reason in order["hold_reasons"]] == order["holds"]
    assert "金額" in order["hold_reasons"][0]["ja"]
    assert "not fixed" in order["hold_reasons"][0]["en"]
    for name in ("postage", "total", "payable"):
        assert order["totals"][name] == {"text": "-9999", "amount": None, "currency": None}
        assert order["stated"]["totals"][name] == {"text": "-9999", "money": None}
    # The marketplace states them, only not yet: nothing is summed in their place.
    assert order["summed_totals"] == {}


@pytest.mark.parametrize("hold", Hold)
def test_every_hold_has_its_words(hold: Hold) -> None:
    text = text_of(hold.value)
    assert isinstance(text, LocalizedText)
    assert text.ja != text.en


@pytest.mark.row("O8", kind="refuses")
@pytest.mark.row("JP4", kind="refuses")
@pytest.mark.parametrize("hold", [Hold.AMOUNT, Hold.PAYMENT, Hold.PREORDER])
async def test_an_order_that_is_held_is_not_accepted(parts: Parts, client: httpx.AsyncClient, hold: Hold) -> None:
    path = await found(parts, seen(holds=frozenset({hold})))
    answer = await client.post(f"{path}:accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "order-held")


@pytest.mark.row("O9", kind="walks")
@pytest.mark.row("P21", kind="walks")
async def test_amounts_and_rates_are_shown_as_stated_and_a_difference_is_reported_not_repaired(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    price = Amount(text="1980.0000", money=Money(Decimal(1980), "JPY"))
    order = await shown(
        parts,
        client,
        whole_order(
            lines=(replace(line("1"), unit_price=price, tax_rate=Decimal("0.10")),),
            differences=(off_by(5921),),
        ),
    )
    assert order["lines"][0]["unit_price"] == {"text": "1980.0000", "amount": "1980", "currency": "JPY"}
    stated = order["stated"]
    assert stated["lines"][0]["unit_price"] == {"text": "1980.0000", "money": {"amount": "1980", "currency": "JPY"}}
    assert stated["lines"][0]["tax_rate"] == "0.10"
    assert [(row["rate"], row["gross"]["text"], row["tax"]["text"]) for row in stated["taxes"]] == [
        ("0.08", "2160", "160"),
        ("0.1", "3790", "344"),
    ]
    assert [(one["kind"], one["paid_by"], one["amount"]["text"]) for one in stated["discounts"]] == [
        ("coupon", "seller", "300"),
        ("points", "marketplace", "300"),
    ]
    said, computed = ({"amount": amount, "currency": "JPY"} for amount in ("5920", "5921"))
    assert stated["differences"] == [{"rule": "totalPrice", "stated": said, "computed": computed}]
    assert order["totals"]["total"]["amount"] == "5920"
    assert order["summed_totals"] == {}


@pytest.mark.row("O9", kind="walks")
async def test_totals_that_no_marketplace_states_are_summed_and_say_so(parts: Parts, client: httpx.AsyncClient) -> None:
    lines = (line("1", quantity=2), line("2", price=300), line("3", quantity=0, status=OrderStatus.CANCELLED))
    order = await shown(parts, client, replace(seen(lines=lines), totals=STATES_NONE))
    assert order["totals"] == {}
    assert order["stated"]["totals"]["goods"] is None
    assert order["summed_totals"] == {
        "goods": {"amount": "4260", "currency": "JPY", "is_tax_included": True, "is_summed": True},
        "postage": {"amount": "500", "currency": "JPY", "is_tax_included": None, "is_summed": True},
        "total": {"amount": "4760", "currency": "JPY", "is_tax_included": True, "is_summed": True},
    }


@pytest.mark.row("O9", kind="walks")
async def test_a_total_is_summed_with_the_prices_that_hold_their_tax_and_with_wrappings(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    without_tax = replace(line("1", quantity=2, price=1000), is_tax_included=False, unit_price_with_tax=yen(1080))
    gift = whole_order(lines=(without_tax,), totals=STATES_NONE)
    order = await shown(parts, client, gift)
    # The wrapping holds its tax and the goods do not: their sum would be neither.
    assert {name: one["amount"] for name, one in order["summed_totals"].items()} == {"postage": "500", "total": "2940"}


@pytest.mark.row("O9", kind="refuses")
@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"lines": (line("1"), replace(line("2"), unit_price=NOT_DECIDED))}, {"postage"}),
        ({"packages": (replace(seen().packages[0], postage=NOT_DECIDED),)}, {"goods"}),
        ({"packages": (replace(seen().packages[0], postage=None),)}, {"goods"}),
        ({"packages": ()}, {"goods"}),
        (
            {"lines": (replace(line("1"), unit_price=Amount(text="12.50", money=Money(Decimal("12.5"), "EUR"))),)},
            {"goods", "postage"},
        ),
        ({"totals": totals(goods=NOT_DECIDED, postage=None, total=None)}, {"postage", "total"}),
    ],
    ids=["price open", "postage open", "postage not stated", "no destination", "two currencies", "stated as open"],
)
async def test_a_sum_of_which_a_part_is_not_decided_is_not_made(
    parts: Parts, client: httpx.AsyncClient, changed: dict[str, Any], left: set[str]
) -> None:
    order = await shown(parts, client, replace(seen(), **({"totals": STATES_NONE} | changed)))
    assert set(order["summed_totals"]) == left


async def test_an_order_that_could_never_be_read_states_nothing(parts: Parts, client: httpx.AsyncClient) -> None:
    path = await found(parts, seen())
    async with parts.db.begin() as tx:
        await tx.execute("update orders set sheet = '{}', is_quarantined = true, quarantine_code = 'unreadable'")
    order = (await client.get(path)).json()
    assert (order["stated"]["lines"], order["stated"]["placed"], order["summed_totals"]) == ([], None, {})


async def test_what_is_said_of_payment_gift_and_pick_up_holds_no_person_without_the_scope(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    held = Address(
        lines=("見本店 気付",),
        country="JP",
        name=PersonName(full=NAME),
        pickup={"network": "50", "external_id": "00001", "name": "見本店", "storeAddress": "架空区1-1"},
    )
    gift = whole_order(packages=(replace(seen().packages[0], address=held, noshi="御祝"),))
    claimed = Claim(
        external_id="c1",
        kind=ClaimKind.RETURN,
        stage=ClaimStage.REQUESTED,
        status_text="5",
        order=OrderRef(external_id=gift.external_id),
        line_id="1",
        quantity=1,
        by=Party.BUYER,
        reason="色が違いました",
        requested=Moment(at=NOON, local="2026-03-01T21:00:00+0900"),
    )
    times = {OrderTime.PAID: Moment(at=NOON, local="2026-03-01 21:00")}
    path = await found(parts, replace(gift, claims=(claimed,), times=times))
    plain = await client.get(path)
    stated = plain.json()["stated"]
    (package,) = stated["packages"]
    assert package["address"] == {
        "kind": "plain",
        "country": "JP",
        "is_remote_island": False,
        "pickup": {"network": "50", "external_id": "00001"},
    }
    assert package["noshi"] == "御祝"
    assert stated["payments"][0] == {
        "method": "クレジットカード",
        "code": "1",
        "status": "unknown",
        "is_run_by_marketplace": True,
        "amount": None,
        "due_on": None,
        "external_id": None,
    }
    assert stated["gift"] == {"is_wished": True, "management_id": None, "address_due_on": None}
    assert stated["times"] == {"paid": {"at": "2026-03-01T12:00:00Z", "local": "2026-03-01 21:00"}}
    assert stated["claims"][0]["requested"]["local"] == "2026-03-01T21:00:00+0900"
    hidden = ("見本店", "架空区1-1", "お誕生日おめでとう", "色が違いました", NAME)
    assert [text for text in hidden if text in plain.text] == []
    personal = (await client.get(path, headers=PERSONAL)).json()["personal"]
    assert personal["packages"][0]["address"]["pickup"]["storeAddress"] == "架空区1-1"
    assert personal["gift"]["note"] == "お誕生日おめでとう"
    assert personal["claims"] == [{"external_id": "c1", "reason": "色が違いました"}]


@pytest.mark.row("O16", kind="walks")
async def test_a_buyer_stands_in_no_table_in_the_clear_and_a_masked_address_stays_masked(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    masked = Address(lines=("東京都****",), country="JP", kind=AddressKind.MASKED, name=PersonName(full="見***"))
    order = replace(
        seen(note="平日の夜に金糸雀が受け取ります"),
        buyer=Buyer(
            name=PersonName(full=NAME), address=masked, email=EMAIL, is_email_masked=True, phones=("090-****-0001",)
        ),
        raw=f"<order>{NAME} {EMAIL}</order>".encode(),
    )
    personal = (await shown(parts, client, order))["personal"]
    assert (personal["buyer"]["address"]["kind"], personal["buyer"]["address"]["lines"]) == ("masked", ["東京都****"])
    assert (personal["buyer"]["is_email_masked"], personal["buyer"]["phones"]) == (True, ["090-****-0001"])
    kept = await rows(parts)
    assert "煎茶" in kept
    for text in (NAME, EMAIL, "金糸雀", "090-****-0001", "東京都"):
        assert text not in kept
        assert text.encode().hex() not in kept


@pytest.mark.row("P22", kind="walks")
@pytest.mark.parametrize(
    "text", ["髙" * 255, "Rue de l’Échantillon " * 12 + "Bis", "𠮷" * 255], ids=["kanji", "Latin", "rare"]
)
async def test_an_address_of_255_characters_is_stored_whole_and_shown_whole(
    parts: Parts, client: httpx.AsyncClient, text: str
) -> None:
    assert len(text) == 255
    long = Address(
        lines=(text, text),
        country="JP",
        city=text,
        street=text,
        building=text,
        name=PersonName(full=text),
        phones=("1",),
    )
    order = seen()
    sighting = replace(
        order,
        buyer=Buyer(name=PersonName(full=text), address=long, email=EMAIL, is_email_masked=True),
        packages=(replace(order.packages[0], address=long),),
    )
    personal = (await shown(parts, client, sighting))["personal"]
    for address in (personal["buyer"]["address"], personal["packages"][0]["address"]):
        assert address["lines"] == [text, text]
        assert [address[part] for part in ("city", "street", "building")] == [text] * 3
        assert address["name"]["full"] == text


async def test_an_orders_bytes_are_given_as_they_were_sent_and_it_is_noted_to_whom(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    sent = "<order>\x00見本 ①</order>".encode("cp932") + b"\xff"
    path = await found(parts, replace(seen(), raw=sent))
    answer = await client.get(f"{path}/raw", headers=RAW)
    assert (answer.status_code, answer.content) == (200, sent)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    async with parts.db.begin() as tx:
        uses = [tuple(use) for use in await tx.fetch("select subject, purpose from contact_uses")]
    assert uses == [("auditor", "raw")]


@pytest.mark.row("O16", kind="refuses")
async def test_an_orders_bytes_are_for_those_alone_who_may_and_gone_with_the_buyer(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    path = await found(parts, seen())
    refused = await client.get(f"{path}/raw", headers=bearer("orders:read", "orders:personal"))
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    for other in (f"{path}x/raw", f"{path}/raw"):
        headers = RAW if other.endswith("x/raw") else bearer("orders:raw", shops=("shp_9",))
        answer = await client.get(other, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    async with parts.db.begin() as tx:
        await buyers.erase(tx, path.rpartition("/")[2], account_ids=None, by="tester")
    gone = await client.get(f"{path}/raw", headers=RAW)
    assert (gone.status_code, gone.json()["code"]) == (404, "not-found")
    assert "erased" in gone.json()["detail"]
    async with parts.db.begin() as tx:
        assert [use["purpose"] for use in await tx.fetch("select purpose from contact_uses")] == ["erase"]


@pytest.mark.row("O16", kind="walks")
async def test_what_the_buyer_had_written_on_paper_and_where_it_is_fetched_goes_with_the_buyer(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    held = Address(lines=("見本店",), country="JP", pickup={"network": "50", "external_id": "shop-77"})
    package = replace(seen().packages[0], address=held, noshi=f"御祝 {NAME}", drop_off="見本家の車庫")
    path = await found(parts, whole_order(packages=(package,)))
    async with parts.db.begin() as tx:
        await buyers.erase(tx, path.rpartition("/")[2], account_ids=None, by="tester")
    stated = (await client.get(path)).json()["stated"]
    (left,) = stated["packages"]
    assert (left["noshi"], left["drop_off"], left["address"]["pickup"], stated["gift"]) == (None, None, None, None)
    assert (stated["payments"][0]["method"], left["parcels"][0]["carrier_code"]) == ("クレジットカード", "1001")
    kept = await rows(parts)
    assert [text for text in (NAME, "見本家の車庫", "shop-77") if text in kept] == []
