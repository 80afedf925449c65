"""The dossier's full order means what section 5 says it means."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from ichiba_full_order import FULL_ANSWER
from ichiba_mapped import SEEN_AT, full_tree, seen

from hanro.marketplace import match_key, status_of
from hanro.marketplace.types import (
    AddressKind,
    Amount,
    Detail,
    DiscountKind,
    Hold,
    OrderStatus,
    OrderTime,
    Party,
)
from hanro.money import Money
from hanro_rakuten_ichiba.declared.keys import KEY_FIELDS


def yen(text: str) -> Amount:
    return Amount(text=text, money=Money(Decimal(text), "JPY"))


def test_the_sample_is_one_shipped_order_with_two_lines() -> None:
    order = seen(full_tree())
    assert order.external_id == "999001-20260511-0123456789"
    assert order.seen_at == SEEN_AT
    assert order.has_all_lines
    assert order.lacks == {Detail.PAYMENT}
    assert status_of(order.lines) is OrderStatus.SHIPPED
    assert [(line.external_id, line.package_id, line.quantity) for line in order.lines] == [
        ("90010001", "90010001", 2),
        ("90010002", "90010001", 1),
    ]
    assert order.holds == frozenset()
    assert order.differences == ()


def test_times_are_japans_whatever_the_machine_thinks() -> None:
    order = seen(full_tree())
    assert order.placed.at == datetime(2026, 5, 11, 1, 15, 30, tzinfo=UTC)
    assert order.placed.local == "2026-05-11T10:15:30+0900"
    assert order.times[OrderTime.ACCEPTED].at == datetime(2026, 5, 11, 1, 45, 2, tzinfo=UTC)
    assert order.times[OrderTime.RELEASED].local == "2026-05-11T11:02:08+0900"
    assert order.times[OrderTime.REPORTED].at == datetime(2026, 5, 12, 15, 7, 43, tzinfo=UTC)


def test_a_time_without_an_offset_is_japans() -> None:
    order = seen(full_tree() | {"orderDatetime": "2026-05-11T10:15:30"})
    assert order.placed.at == datetime(2026, 5, 11, 1, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Paris"])
def test_the_zone_of_the_process_changes_nothing(zone: str) -> None:
    tree = full_tree() | {"orderDatetime": "2026-03-29T02:30:00"}
    program = (
        "import sys; from datetime import UTC, datetime; from hanro_rakuten_ichiba.decoding import decode;"
        "from hanro_rakuten_ichiba.mapping.order import map_order;"
        "print(map_order(decode(sys.stdin.buffer.read()).orders[0], datetime(2026, 1, 1, tzinfo=UTC)).placed.at)"
    )
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program],
        input=json.dumps({"OrderModelList": [tree]}).encode(),
        env=os.environ | {"TZ": zone},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.decode().strip() == "2026-03-28 17:30:00+00:00"


def test_keys_are_verbatim_and_find_stock_by_manage_number_and_variant() -> None:
    towel, cookie = seen(full_tree()).lines
    assert towel.keys == {
        "manage_number": "towel-01",
        "variant_id": "m-white",
        "merchant_defined_sku_id": "TOWEL-M-WH",
        "item_number": "towel",
    }
    assert cookie.keys == {"manage_number": "cookie-12", "variant_id": "cookie-12", "item_number": "cookie12"}
    assert match_key(KEY_FIELDS, towel.keys) == '["towel-01","m-white"]'
    assert towel.options_text == "サイズ:M\nカラー:ホワイト\n名入れ:しません\n確認事項:了承しました"
    assert cookie.options_text is None


def test_amounts_equal_the_bytes_and_tax_stands_by_rate() -> None:
    order = seen(full_tree())
    towel, cookie = order.lines
    assert (towel.unit_price, towel.tax_rate, towel.is_tax_included) == (yen("3980"), Decimal("0.1"), True)
    assert (cookie.unit_price_with_tax, cookie.tax_rate) == (yen("1080"), Decimal("0.08"))
    totals = order.totals
    assert (totals.goods, totals.postage, totals.total, totals.payable) == (
        yen("9390"),
        yen("660"),
        yen("10050"),
        yen("9150"),
    )
    assert totals.is_goods_tax_included
    assert [(row.rate, row.gross, row.tax) for row in order.taxes] == [
        (Decimal("0.1"), yen("8381"), yen("761")),
        (Decimal("0.08"), yen("1069"), yen("79")),
    ]
    assert order.taxes[0].details == {
        "total": yen("8970"),
        "payment_fee": yen("0"),
        "coupons": yen("589"),
        "points": yen("0"),
    }


def test_an_amount_keeps_the_zeros_it_came_with() -> None:
    body = FULL_ANSWER.replace('"requestPrice": 9150,', '"requestPrice": 9150.00,')
    order = seen(json.loads(body, parse_float=lambda text: text)["OrderModelList"][0])
    assert order.totals.payable == Amount(text="9150.00", money=Money(Decimal(9150), "JPY"))


def test_coupons_name_who_pays_and_points_are_the_marketplaces() -> None:
    shop, service, points = seen(full_tree()).discounts
    assert (shop.kind, shop.paid_by, shop.amount, shop.line_id) == (
        DiscountKind.COUPON,
        Party.SELLER,
        yen("500"),
        "90010001",
    )
    assert (shop.code, shop.unit_count) == ("AAAA-BBBB-CCCC-0001", 2)
    assert (service.paid_by, service.amount, service.line_id) == (Party.MARKETPLACE, yen("100"), None)
    assert (points.kind, points.paid_by, points.amount) == (DiscountKind.POINTS, Party.MARKETPLACE, yen("300"))


def test_the_destination_has_address_parcels_and_wishes() -> None:
    order = seen(full_tree())
    (package,) = order.packages
    address = package.address
    assert address is not None
    assert address.lines == ("530-0000", "大阪府架空市北区", "試験町4-5-6")
    assert (address.kind, address.country, address.phones) == (AddressKind.PLAIN, "JP", ("06-0000-0002",))
    assert address.name is not None
    assert (address.name.full, address.name.kana) == ("試験 太郎", "シケン タロウ")
    assert [(parcel.external_id, parcel.number, parcel.shipped_on) for parcel in package.parcels] == [
        ("700000001", "000000000011", date(2026, 5, 12)),
        ("700000002", "000000000022", date(2026, 5, 12)),
    ]
    assert package.parcels[0].carrier_text == "1001 ヤマト運輸"
    assert (package.noshi, package.drop_off) == ("御祝", "宅配ボックス")
    assert order.wish is not None
    assert (order.wish.day, order.wish.earliest, order.wish.latest) == (date(2026, 5, 14), time(18), time(20))
    assert [wrapping.kind for wrapping in order.wrappings] == ["包装紙", "リボン"]
    assert order.gift is not None
    assert order.gift.is_wished


def test_the_buyer_is_there_and_shows_in_no_repr() -> None:
    order = seen(full_tree())
    assert order.buyer is not None
    assert order.buyer.email == "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"
    assert order.buyer.is_email_masked
    assert order.buyer.name is not None
    assert order.buyer.name.full == "見本 花子"
    shown = repr(order)
    assert not [
        word for word in ("見本町", "花子", "0000-0001", "fw.rakuten", "HANAKO", "宅配ボックスへ") if word in shown
    ]
    assert "HANAKO" not in "".join(f"{key}{text}" for pay in order.payments for key, text in pay.details.items())


def test_the_raw_bytes_are_the_order_as_sent() -> None:
    tree = full_tree()
    assert seen(tree).raw == json.dumps(tree, ensure_ascii=False).encode()


def test_a_confirmation_is_no_claim() -> None:
    assert seen(full_tree()).claims == ()


@pytest.mark.parametrize(
    ("progress", "status", "holds"),
    [
        (100, OrderStatus.NEW, set()),
        (200, OrderStatus.ACCEPTED, {Hold.PAYMENT}),
        (300, OrderStatus.READY, set()),
        (400, OrderStatus.ON_HOLD, {Hold.CHANGE}),
        (500, OrderStatus.SHIPPED, set()),
        (600, OrderStatus.SHIPPED, set()),
        (700, OrderStatus.COMPLETED, set()),
        (800, OrderStatus.CANCELLING, set()),
        (900, OrderStatus.CANCELLED, set()),
    ],
)
def test_each_state_has_its_status(progress: int, status: OrderStatus, holds: set[Hold]) -> None:
    order = seen(full_tree() | {"orderProgress": progress})
    assert {line.status for line in order.lines} == {status}
    assert {line.status_text for line in order.lines} == {str(progress)}
    assert order.holds == holds


def test_a_new_order_must_be_decided_before_its_last_day_ends_in_japan() -> None:
    order = seen(full_tree() | {"orderProgress": 100, "cancelDueDate": "2026-05-25"})
    assert {line.decide_by for line in order.lines} == {datetime(2026, 5, 25, 15, tzinfo=UTC)}
    assert seen(full_tree()).lines[0].decide_by is None


def test_awkward_characters_survive() -> None:
    awkward = "①㈱髙﨑〜～ｻﾝﾌﾟﾙ\\\x01\x7f" + "長" * 255
    tree = full_tree() | {"remarks": awkward}
    tree["OrdererModel"]["city"] = awkward
    order = seen(tree)
    assert order.notes["remarks"] == awkward
    assert order.buyer is not None
    assert order.buyer.address is not None
    assert order.buyer.address.city == awkward
