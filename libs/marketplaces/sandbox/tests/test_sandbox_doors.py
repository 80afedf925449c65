"""The sandbox's other doors: messages, notices, listings, stock, files, session keys and plans."""

import asyncio
import hashlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sandbox_market import SandboxMarket, SandboxShop, running_simulator
from sandbox_session import opened, parcel, seen, with_number

from hanro.errors import Rejected
from hanro.marketplace import read_csv
from hanro.marketplace.port import Secrets, Session
from hanro.marketplace.types import (
    Asked,
    ImageFile,
    ListingChange,
    ListingDraft,
    ListingRef,
    NoticeKind,
    OfferRef,
    OfferTerms,
    OrderRef,
    OutcomeStatus,
    SaleStatus,
    StockTarget,
    Variant,
    Window,
)
from hanro.money import Money
from hanro.testing.conformance.asked import decision, message
from hanro_sandbox.layouts import read_rows

PRICE = Money(Decimal(1980), "JPY")


@pytest.fixture(scope="module")
def market() -> Iterator[SandboxMarket]:
    with running_simulator() as port:
        yield SandboxMarket(port)


@pytest.fixture
def shop(market: SandboxMarket) -> SandboxShop:
    return market.open_shop()


@pytest.fixture
async def session(market: SandboxMarket, shop: SandboxShop) -> AsyncIterator[Session]:
    async with opened(market, shop) as made:
        yield made


async def test_a_message_is_handed_over_once_and_found_again(
    market: SandboxMarket, shop: SandboxShop, session: Session
) -> None:
    (number,) = shop.place()
    messages = market.plugin.messages(session)
    request = replace(message(), order=OrderRef(external_id=number))
    assert (await messages.verify(request)).status is OutcomeStatus.NOT_SENT
    first, again = await messages.send(request), await messages.send(request)
    assert (first.status, first.is_repeat, again.is_repeat) == (OutcomeStatus.APPLIED, False, True)
    assert (await messages.verify(request)).external_id == first.external_id
    too_long = await messages.send(replace(request, id="msg_2", body="長" * 4001))
    assert (too_long.status, too_long.failure and too_long.failure.code) == (OutcomeStatus.REJECTED, "text-too-long")


async def test_a_lost_answer_to_a_message_is_in_doubt_and_verifying_tells(
    market: SandboxMarket, shop: SandboxShop, session: Session
) -> None:
    messages = market.plugin.messages(session)
    request = replace(message(), order=None)
    shop.controls.fault("reset-after", {"count": 1}, "messages.send")
    assert (await messages.send(request)).status is OutcomeStatus.IN_DOUBT
    assert (await messages.verify(request)).status is OutcomeStatus.APPLIED


async def test_inquiries_are_read_page_by_page_and_answered(
    market: SandboxMarket, shop: SandboxShop, session: Session
) -> None:
    (number,) = shop.place()
    for text in ("いつ届きますか。", "色は選べますか。"):
        shop.call("POST", f"/orders/{number}/ask", {"text": text})
    messages, now = market.plugin.messages(session), datetime.now(UTC)
    window = Window(start=now - timedelta(minutes=5), end=now + timedelta(minutes=5))
    (page,) = [page async for page in messages.inquiries(window)]
    assert [(one.body, one.order_id, one.is_answered) for one in page] == [
        ("いつ届きますか。", number, False),
        ("色は選べますか。", number, False),
    ]
    await messages.send(replace(message(reply_to=page[0].external_id), order=None))
    (page,) = [page async for page in messages.inquiries(window)]
    assert [one.is_answered for one in page] == [True, False]
    past = Window(start=now - timedelta(days=2), end=now - timedelta(days=1))
    assert [page async for page in messages.inquiries(past)] == []
    assert len([page async for page in messages.inquiries(past, [OrderRef(external_id=number)])]) == 1


async def test_a_notice_with_the_shops_key_hints_at_its_order(market: SandboxMarket, shop: SandboxShop) -> None:
    came: list[tuple[bytes, dict[str, str]]] = []
    with _listening(came) as url:
        shop.call("PUT", "/notices", {"url": url})
        (number,) = shop.place()
        for _ in range(200):
            if came:
                break
            await asyncio.sleep(0.02)
    body, headers = came[0]
    secrets = Secrets(values=shop.secrets(), version=1, stored_at=datetime.now(UTC))
    read = market.plugin.read_notice(body, headers, secrets)
    assert [(one.kind, one.order_ids) for one in read.notices] == [(NoticeKind.ORDER_PLACED, (number,))]
    other = Secrets(values={**shop.secrets(), "notice_key": "x" * 32}, version=1, stored_at=datetime.now(UTC))
    assert market.plugin.read_notice(body, headers, other).notices == ()


async def test_a_session_key_stands_for_the_key_and_ends_with_it(
    market: SandboxMarket, shop: SandboxShop, session: Session
) -> None:
    renewed = await market.plugin.access(session).renew()
    minted = replace(session, secrets=replace(session.secrets, values={**shop.secrets(), **renewed.values}))
    assert await market.plugin.access(minted).key_expiries()
    assert renewed.values["session_key"] not in repr(renewed)
    shop.end_key("revoke")
    assert (await market.plugin.access(minted).probe("account")).state.value == "denied"


async def test_listings_are_put_read_and_deleted_and_a_taken_key_stays(market: SandboxMarket, session: Session) -> None:
    listings = market.plugin.listings(session)
    change = ListingChange(id="chg_1", version=1, wanted=_draft("tea-1"), acknowledged=None)
    assert [one.status for one in (await listings.verify([change])).outcomes] == [OutcomeStatus.NOT_SENT]
    (made,) = (await listings.put([change])).outcomes
    assert made.status is OutcomeStatus.APPLIED
    (read,) = await listings.fetch([ListingRef(seller_key="tea-1")])
    assert read.draft is not None
    assert replace(read.draft, ref=change.wanted.ref) == change.wanted
    assert [offer.quantity for offer in read.offers] == [0]
    assert [one.status for one in (await listings.verify([change])).outcomes] == [OutcomeStatus.APPLIED]
    (taken,) = (await listings.put([replace(change, id="chg_2")])).outcomes
    assert taken.failure is not None
    assert taken.failure.code == "already-exists"
    deleted = replace(change, wanted=replace(_draft("tea-1"), sale=SaleStatus.DELETED), acknowledged=change.wanted)
    await listings.put([deleted])
    assert await listings.fetch([ListingRef(seller_key="tea-1")]) == ()


async def test_listings_are_paged_with_categories_attributes_and_images(
    market: SandboxMarket, session: Session
) -> None:
    listings = market.plugin.listings(session)
    for start in (0, 100):
        drafts = [_draft(f"tea-{number:03}") for number in range(start, min(start + 100, 120))]
        await listings.put(
            [ListingChange(id=one.ref.seller_key, version=1, wanted=one, acknowledged=None) for one in drafts]
        )
    pages = [page async for page in listings.pages()]
    assert [len(page.listings) for page in pages] == [100, 20]
    assert [len(page.listings) async for page in listings.pages(pages[0].cursor)] == [20]
    assert {one.external_id for one in await listings.categories(None)} == {"food", "clothes"}
    assert [one.external_id for one in await listings.categories("food")] == ["tea"]
    assert await listings.values("tea", "material", "茶") == (("茶葉", "茶葉"),)
    content = b"synthetic"
    image = ImageFile(sha256=hashlib.sha256(content).hexdigest(), media_type="image/png", content=content, name="a.png")
    (stored,) = (await listings.upload([image])).outcomes
    assert stored.external_id == f"/images/{image.sha256}"


async def test_what_is_put_into_stock_is_read_back(market: SandboxMarket, session: Session) -> None:
    stock, listings = market.plugin.stock(session), market.plugin.listings(session)
    await listings.put([ListingChange(id="chg", version=1, wanted=_draft("tea-1"), acknowledged=None)])
    offer = OfferRef(listing=ListingRef(seller_key="tea-1"), variant_key="small")
    other = OfferRef(listing=ListingRef(seller_key="nothing"))
    for _ in range(2):
        receipt = await stock.put([_target(offer, 7), _target(other, 1)])
        assert [one.status for one in receipt.outcomes] == [OutcomeStatus.APPLIED, OutcomeStatus.REJECTED]
    assert [(one.offer, one.quantity) async for one in stock.read([offer, other])] == [(offer, 7)]


async def test_the_rows_of_an_order_are_read_as_the_order(
    market: SandboxMarket, shop: SandboxShop, session: Session
) -> None:
    (number,) = shop.place(line_count=2, text="見本髙")
    order = await seen(market.plugin.orders(session), number)
    (rows,) = read_csv(market.plugin.order_layouts, shop.call("GET", "/orders.csv")["csv"].encode()).groups
    read = read_rows(rows)
    assert [replace(line, details={}) for line in read.lines] == [
        replace(line, decide_by=None, ship_by=None, details={}) for line in order.lines
    ]
    assert (read.external_id, read.placed, read.totals, read.is_test) == (number, order.placed, order.totals, True)
    assert read.differences == ()
    for column, cell in (("line_state", "mislaid"), ("placed_at", "yesterday"), ("order_total", "1.5")):
        bad = replace(rows[0], cells={**rows[0].cells, column: cell})
        with pytest.raises(Rejected) as refused:
            read_rows((bad, rows[1]))
        assert refused.value.field == f"rows.{rows[0].number}.{column}"


def test_listings_are_written_to_a_file(market: SandboxMarket) -> None:
    (layout,) = market.plugin.listing_layouts
    assert layout.write is not None
    change = ListingChange(id="chg", version=1, wanted=_draft("tea-1"), acknowledged=None)
    text = layout.write((change,)).decode("cp932")
    assert text.splitlines() == ["listing,variant,sku,title,price,sale", "tea-1,small,sku-1,緑茶 ㈱髙,1980,on_sale"]


def test_the_simulator_loads_nothing_of_hanro_and_nothing_of_the_plug_in() -> None:
    found = (
        "import sys, hanro_sandbox.simulator.__main__\n"
        "own = 'hanro_sandbox', 'hanro_sandbox.simulator'\n"
        "print([name for name in sys.modules if name.split('.')[0].startswith('hanro')"
        " and name not in own and not name.startswith(own[1] + '.')])"
    )
    command = [sys.executable, "-c", found]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603  our own
    assert done.stdout.strip() == "[]"


async def test_a_plan_is_what_is_sent(market: SandboxMarket, shop: SandboxShop, session: Session) -> None:
    (number,) = shop.place()
    (ready,) = shop.place(code="ready")
    asked: list[Asked] = [decision(number, "1"), parcel(ready, ("1", 1)), with_number(parcel(ready, ("9", 1)), "12")]
    plan = market.plugin.plan(asked)
    assert [(one.code, one.is_blocking) for one in plan.problems] == [("number-malformed", True)]
    orders, before = market.plugin.orders(session), shop.controls.sequence()
    await orders.decide([decision(number, "1")])
    await orders.ship([parcel(ready, ("1", 1))])
    sent = [(one.path, one.body) for one in shop.controls.requests(before)]
    assert sent == [(one.url.removeprefix("https://marketplace.example.invalid"), one.body) for one in plan.calls]


def _draft(key: str) -> ListingDraft:
    return ListingDraft(
        ref=ListingRef(seller_key=key),
        sale=SaleStatus.ON_SALE,
        texts={"title": "緑茶 ㈱髙"},
        category_id="tea",
        brand_id=None,
        shop_category_ids=(),
        images=(),
        axes=(("size", ("S",)),),
        attributes=(),
        variants=(
            Variant(
                key="small",
                sku="sku-1",
                options=(("size", "S"),),
                price=PRICE,
                list_price=None,
                barcode=None,
                attributes=(),
                settings={},
            ),
        ),
        tax_rate=Decimal("0.08"),
        settings={},
    )


def _target(offer: OfferRef, quantity: int) -> StockTarget:
    terms = OfferTerms(price=PRICE, listing_price=PRICE, sale_ends_on=None, tax_rate=None)
    return StockTarget(offer=offer, quantity=quantity, version=1, terms=terms)


@contextmanager
def _listening(came: list[tuple[bytes, dict[str, str]]]) -> Iterator[str]:
    """Take what is posted, on a port of its own."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((body, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notices"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
