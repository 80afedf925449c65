"""The order download: the bytes of section 13's sample, one row a line, filters, the older layout, the password."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from ichiba_full_order import FULL_ORDER
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

SAMPLE = (Path(__file__).parent / "rms_orders.csv").read_text(encoding="utf-8")
# The dossier shows it in UTF-8; rows end in CRLF, line breaks inside fields are LF.
SAMPLE_BYTES = (
    (SAMPLE.rstrip("\n") + "\n").replace('"\n"999001-', '"\r\n"999001-').replace('""\n', '""\r\n').encode("cp932")
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("csv")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    return open_shop(simulator, "999001")


def download(shop: Shop, query: str = "", **headers: str) -> bytes:
    answer = shop.simulator.send("GET", f"/_sim/shops/{shop.id}/orders.csv{query}", b"", headers)
    assert answer.status == 200, answer.body
    return answer.body


def table(shop: Shop, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(download(shop, query).decode("cp932"), newline="")))


def test_the_full_order_comes_in_the_bytes_of_the_sample(shop: Shop) -> None:
    place_order(shop, FULL_ORDER["orderNumber"], FULL_ORDER["orderDatetime"], progress=500, raw=FULL_ORDER)
    assert download(shop).decode("cp932") == SAMPLE_BYTES.decode("cp932")
    assert download(shop) == SAMPLE_BYTES


def test_every_line_is_a_row_with_a_key_of_its_own(shop: Shop) -> None:
    shop.control("POST", "/orders", {"count": 40})
    orders = shop.control("GET", "/orders")["orders"]
    lines = [
        (order["external_id"], str(item["itemDetailId"]))
        for order in orders
        for package in order["tree"]["PackageModelList"]
        for item in package["ItemModelList"]
    ]
    assert [(row["注文番号"], row["商品明細ID"]) for row in table(shop)] == lines
    assert len(set(lines)) == len(lines)


def test_several_coupons_of_a_side_are_joined(shop: Shop) -> None:
    coupon = FULL_ORDER["CouponModelList"][0]
    other = coupon | {"couponCode": "AAAA-BBBB-CCCC-0003", "couponName": "もう一つ"}
    raw = FULL_ORDER | {"CouponModelList": [coupon, other]}
    place_order(shop, FULL_ORDER["orderNumber"], FULL_ORDER["orderDatetime"], progress=500, raw=raw)
    row = table(shop)[0]
    assert row["店舗発行クーポンコード"] == "AAAA-BBBB-CCCC-0001/AAAA-BBBB-CCCC-0003"
    assert row["店舗発行クーポン名"] == "タオル250円引き / もう一つ"
    assert (row["楽天発行クーポンコード"], row["楽天発行クーポン名"]) == ("", "")


def test_what_cp932_has_not_got_is_a_question_mark_and_waves_are_those_of_windows(shop: Shop) -> None:
    raw = {"memo": "𠮷野家〜", "operator": '"係"'}
    shop.control("POST", "/orders", {"is_plain": True, "raw": raw})
    row = table(shop)[0]
    assert (row["ひとことメモ"], row["担当者"]) == ("?野家～", '"係"')


def test_orders_are_chosen_by_time_and_state(shop: Shop) -> None:
    numbers = []
    for day, progress in (("01", 100), ("02", 300), ("03", 300)):
        number = f"999001-202605{day}-0000000001"
        place_order(shop, number, f"2026-05-{day}T12:00:00+0900", progress=progress)
        numbers.append(number)
    since = quote("2026-05-02T12:00:00+09:00")

    def chosen(query: str) -> list[str]:
        return [row["注文番号"] for row in table(shop, query)]

    assert set(chosen("?progress=300")) == set(numbers[1:])
    assert set(chosen(f"?placed_to={since}")) == set(numbers[:2])
    assert set(chosen(f"?placed_from={since}&progress=100&progress=300")) == set(numbers[1:])
    assert chosen("?progress=900") == []


def test_a_deleted_line_has_no_row(shop: Shop) -> None:
    wish = {"is_plain": True, "lines": [{"manageNumber": "towel-01"}, {"manageNumber": "cookie-12"}]}
    number = shop.control("POST", "/orders", wish)["external_id"]
    deleted = {"/PackageModelList/0/ItemModelList/0/deleteItemFlag": 1}
    shop.control("POST", f"/orders/{number}/set", {"raw": deleted})
    assert [row["商品管理番号"] for row in table(shop)] == ["cookie-12"]


def test_the_older_layout_has_its_columns_and_its_word_for_undecided(shop: Shop) -> None:
    shop.control("POST", "/orders", {"kind": "undecided-postage"})
    row = table(shop, "?layout=old")[0]
    assert len(row) == 126
    assert row["送料(-99999=無効値)"] == "-99999"
    assert table(shop)[0]["送料合計"] == "-9999"
    assert row["受注ステータス"] == "100"


def test_user_name_and_password_are_asked_for_and_no_contract_is_no_file(shop: Shop) -> None:
    login = shop.simulator.control("GET", f"/shops/{shop.id}")

    def basic(password: str) -> str:
        return "Basic " + base64.b64encode(f"{login['download_username']}:{password}".encode()).decode()

    assert download(shop, Authorization=basic(login["download_password"])).count(b"\r\n") == 1
    path = f"/_sim/shops/{shop.id}/orders.csv"
    for wrong in (basic("wrong"), "Basic x", "ESA x"):
        assert shop.simulator.send("GET", path, b"", {"Authorization": wrong}).status == 401
    shop.control("PUT", "/contracts/order_download", {"state": "applied"})
    refused = shop.simulator.send("GET", path)
    assert (refused.status, "not contracted" in json.loads(refused.body)["detail"]) == (409, True)
