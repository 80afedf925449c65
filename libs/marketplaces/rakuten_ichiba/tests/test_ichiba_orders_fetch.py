"""Orders are read again by number, in any state, with what the simulator's buyers really ordered."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ichiba_mapped import full_tree
from ichiba_session import CannedHttp, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import ContractBroken
from hanro.marketplace.types import Detail, Fetched, OrderRef, SeenOrder, UnreadableOrder
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
KINDS = (
    "ordinary", "several-destinations", "cash-on-delivery", "bank-transfer", "convenience-store-payment", "pay-later",
    "convenience-store-pick-up", "social-gift", "undecided-postage", "undecided-fee", "pre-order", "points-only",
)  # fmt: skip
FOUND = {"messageType": "INFO", "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_101", "message": "x"}
NOT_FOUND = {"messageType": "INFO", "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_102", "message": "x"}
ERROR = {"messageType": "ERROR", "messageCode": "ORDER_EXT_API_GET_ORDER_ERROR_999", "message": "x"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        set_clock(running, NOW.isoformat())
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    return open_shop(simulator, "999001")


def orders_of(shop: Shop) -> IchibaOrders:
    return IchibaOrders(open_shop_session(shop, now=NOW).session)


def refs(*numbers: str) -> list[OrderRef]:
    return [OrderRef(external_id=number) for number in numbers]


@pytest.mark.parametrize("progress", [100, 200, 300, 400, 500, 600, 700, 800, 900])
async def test_an_order_is_read_in_every_state(shop: Shop, progress: int) -> None:
    number = shop.control("POST", "/orders", {"progress": progress})["external_id"]
    (order,) = (await orders_of(shop).fetch(refs(number))).sightings
    assert isinstance(order, SeenOrder)
    assert {line.status_text for line in order.lines} == {str(progress)}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_order_is_read_and_adds_up(shop: Shop, kind: str) -> None:
    for _ in range(8):
        shop.control("POST", "/orders", {"kind": kind})
    truth = {entry["external_id"]: entry for entry in shop.control("GET", "/orders")["orders"]}
    fetched = await orders_of(shop).fetch(refs(*truth))
    assert fetched.missing == ()
    for order in fetched.sightings:
        assert isinstance(order, SeenOrder), order
        tree = json.loads(order.raw)
        assert order.differences == ()
        assert order.totals.payable is not None
        assert order.totals.payable.text == str(tree["requestPrice"])
        units = [item["units"] for package in tree["PackageModelList"] for item in package["ItemModelList"]]
        assert [line.quantity for line in order.lines] == units
        assert not any(isinstance(amount, float) for line in order.lines for amount in (line.tax_rate,))
        assert order.buyer is not None
        assert order.buyer.email == tree["OrdererModel"]["emailAddress"]


async def test_what_they_do_not_know_is_missing_and_foreign_orders_are_too(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {})["external_id"]
    other = open_shop(shop.simulator, "999002").control("POST", "/orders", {})["external_id"]
    asked = refs("999001-20260101-0000000001", number, other)
    fetched = await orders_of(shop).fetch(asked)
    assert [order.external_id for order in fetched.sightings] == [number]
    assert fetched.missing == (asked[0], asked[2])
    assert fetched.unread == ()


async def test_nothing_asked_sends_nothing_and_too_much_is_our_bug() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    orders = IchibaOrders(open_session(http).session)
    assert (await orders.fetch([])).sightings == ()
    with pytest.raises(ValueError, match="at most 100"):
        await orders.fetch(refs(*map(str, range(101))))
    with pytest.raises(ValueError, match="each once"):
        await orders.fetch(refs("1", "1"))
    assert http.sent == []


async def test_a_hundred_orders_are_one_request(shop: Shop) -> None:
    numbers = shop.control("POST", "/orders", {"count": 100, "is_plain": True})["external_ids"]
    opened = open_shop_session(shop, now=NOW)
    fetched = await IchibaOrders(opened.session).fetch(refs(*numbers))
    assert len(fetched.sightings) == 100
    assert opened.pacer.groups == [("order",)]


async def test_a_payment_record_is_read_when_it_is_asked_for(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {})["external_id"]
    (order,) = (await orders_of(shop).fetch(refs(number), frozenset({Detail.PAYMENT}))).sightings
    assert isinstance(order, SeenOrder)
    assert order.lacks == frozenset()
    assert order.payments


async def fetch_said(said: Mapping[str, object], *numbers: str) -> Fetched:
    """Fetch orders from a marketplace that answers so."""
    http = CannedHttp(lambda _: answered(json.dumps(said).encode()))
    return await IchibaOrders(open_session(http).session).fetch(refs(*numbers))


async def test_an_order_that_lost_its_number_is_the_one_that_is_missing() -> None:
    trees = [full_tree() | {"orderNumber": None}, full_tree() | {"orderNumber": "2"}]
    http = CannedHttp(lambda _: answered(json.dumps({"MessageModelList": [], "OrderModelList": trees}).encode()))
    fetched = await IchibaOrders(open_session(http).session).fetch(refs("1", "2"))
    assert {order.external_id for order in fetched.sightings} == {"1", "2"}
    assert fetched.missing == ()
    assert [type(order) for order in fetched.sightings if order.external_id == "1"] == [UnreadableOrder]


async def test_an_order_that_nobody_asked_for_is_left_out() -> None:
    fetched = await fetch_said({"OrderModelList": [full_tree() | {"orderNumber": one} for one in ("3", "1")]}, "1")
    assert [order.external_id for order in fetched.sightings] == ["1"]


async def test_an_order_is_unknown_where_they_say_so_even_without_its_number() -> None:
    trees = [full_tree() | {"orderNumber": "1"}]
    for unknown in ({"orderNumber": "2"}, {"orderNumber": None}, {}):
        said = {"MessageModelList": [FOUND, NOT_FOUND | unknown], "OrderModelList": trees}
        fetched = await fetch_said(said, "1", "2")
        assert [order.external_id for order in fetched.sightings] == ["1"]
        assert fetched.missing == tuple(refs("2"))


@pytest.mark.parametrize("warning", [[], [{"messageType": "WARNING", "messageCode": "W", "orderNumber": "2"}]])
async def test_silence_about_an_order_is_no_news_of_it(warning: list[dict[str, object]]) -> None:
    trees = [full_tree() | {"orderNumber": "1"}]
    fetched = await fetch_said({"MessageModelList": [FOUND, *warning], "OrderModelList": trees}, "1", "2")
    assert fetched.missing == ()
    (silent,) = [order for order in fetched.sightings if isinstance(order, UnreadableOrder)]
    assert (silent.external_id, silent.failure.code, silent.raw) == ("2", "unreadable", b"")


async def test_an_error_is_an_error_whatever_the_http_status() -> None:
    said = {"MessageModelList": [ERROR], "OrderModelList": []}
    with pytest.raises(ContractBroken) as caught:
        await fetch_said(said, "1", "2")
    assert caught.value.refusal is not None
    assert caught.value.refusal.code == ERROR["messageCode"]


async def test_an_error_of_one_order_is_its_own() -> None:
    trees = [full_tree() | {"orderNumber": "1"}]
    fetched = await fetch_said({"MessageModelList": [ERROR | {"orderNumber": "2"}], "OrderModelList": trees}, "1", "2")
    (bad,) = [order for order in fetched.sightings if isinstance(order, UnreadableOrder)]
    assert bad.external_id == "2"
    assert bad.failure.refusal is not None
    assert bad.failure.refusal.code == ERROR["messageCode"]


async def test_a_sighting_is_as_old_as_its_request(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {})["external_id"]
    before = datetime.now(UTC)
    (order,) = (await orders_of(shop).fetch(refs(number))).sightings
    assert before <= order.seen_at <= before + timedelta(seconds=30)


async def test_lines_and_prices_that_a_test_chose_come_back_as_chosen(shop: Shop) -> None:
    line = {"manageNumber": "Towel-01", "variantId": "M-White", "units": 3, "price": 1234}
    number = shop.control("POST", "/orders", {"is_plain": True, "lines": [line]})["external_id"]
    (order,) = (await orders_of(shop).fetch(refs(number))).sightings
    assert isinstance(order, SeenOrder)
    (seen,) = order.lines
    assert (seen.keys["manage_number"], seen.keys["variant_id"], seen.quantity) == ("Towel-01", "M-White", 3)
    assert seen.unit_price.money is not None
    assert seen.unit_price.money.amount == Decimal(1234)
