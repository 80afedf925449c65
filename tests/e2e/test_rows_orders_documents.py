"""What is printed and exported of orders, on the whole path: delivery notes, invoice wording, CSV."""

import csv
import io
from typing import Any

import pypdf
import pytest
from running_stack import Doors, Linked, doors
from test_one_order import became, stored
from test_rows_orders_shipping import place_of

from hanro_local.demo import marketplace
from hanro_local.stack import Stack

TEA = {"manageNumber": "tea-50", "units": 2, "price": 1080, "taxRate": 0.08, "itemName": "見本煎茶 ①髙級㈱〜50g"}
CUP = {"manageNumber": "cup-01", "units": 1, "price": 2980, "taxRate": 0.1, "itemName": "架空マグカップ"}
# The catalogue there has prices without their tax too, which a note marks as such.
LINES = tuple({**line, "includeTaxFlag": 1} for line in (TEA, CUP))
RULE = "ichiba.document.qualified-invoice"


async def bought(opened: Doors, linked: Linked, *lines: dict[str, Any]) -> dict[str, Any]:
    """Let a buyer order, and give the order once hanro lists it."""
    wish = {"is_plain": True, "lines": lines or LINES}
    answer = await opened.simulator.call("POST", f"/_sim/shops/{linked.shop.number}/orders", wish)
    number = answer.json()["external_ids"][0]
    return await stored(opened.hanro, linked.account.account_id, number)


def note_of(order: dict[str, Any]) -> str:
    return f"/v1/orders/{order['id']}/documents/delivery-note.pdf"


def pages(file: bytes) -> list[str]:
    """Give the text of each page, without any blank."""
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(file)).pages]


@pytest.mark.row("O13", kind="walks")
async def test_a_delivery_note_holds_every_line_and_what_the_marketplace_states_for_each_rate(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        orders = [await bought(opened, linked) for _ in range(2)]
        tree = (await opened.simulator.call("GET", place_of(linked, orders[0]["external_id"]))).json()["tree"]
        note = await opened.hanro.call("GET", note_of(orders[0]))
        assert note.headers["content-type"] == "application/pdf"
        (page,) = pages(note.content)
        assert orders[0]["external_id"] in page
        for said in ("納品書", "見本煎茶①髙級㈱〜50g", "¥1,080※¥2,160", "架空マグカップ", "¥2,980¥2,980"):
            assert said in page
        assert tree["OrdererModel"]["familyName"] in page
        for row in tree["TaxSummaryModelList"]:
            due = f"{row['taxRate'] * 100:.0f}%対象¥{row['reqPrice']:,}¥{row['reqPriceTax']:,}"
            assert due in page
        assert len(tree["TaxSummaryModelList"]) == len(LINES)
        wish = {"order_ids": [one["id"] for one in orders], "kind": "delivery_note"}
        asked = await opened.hanro.call("POST", "/v1/order/documents", wish, expected=(202,))
        document = await became(opened.hanro, asked.headers["location"], "status", "ready")
        file = pages((await opened.hanro.call("GET", document["href"])).content)
    assert [one["external_id"] in text for one, text in zip(orders, file, strict=True)] == [True, True]


@pytest.mark.row("O13", kind="refuses")
async def test_a_cancelled_order_has_no_delivery_note(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await bought(opened, linked)
        await marketplace.cancel(opened.simulator, order["external_id"])
        await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "cancelled")
        refused = (await opened.hanro.call("GET", note_of(order), expected=(409,))).json()
    assert refused["code"] == "order-cancelled"
    assert refused["remedy"]["ja"]


@pytest.mark.row("JP5", kind="refuses")
@pytest.mark.row("JP5", kind="walks")
async def test_invoice_wording_is_refused_by_its_rule_and_the_note_without_it_is_there(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await bought(opened, linked)
        path = f"{note_of(order)}?with_invoice_wording=true"
        refused = (await opened.hanro.call("GET", path, expected=(409,))).json()
        assert (refused["code"], refused["rule"]["id"]) == ("policy-refused", RULE)
        assert refused["rule"]["source"]
        assert "with_invoice_wording" in refused["remedy"]["en"]
        (page,) = pages((await opened.hanro.call("GET", note_of(order))).content)
    assert "納品書" in page
    assert "適格" not in page


@pytest.mark.row("O21", kind="walks")
@pytest.mark.row("O21", kind="refuses")
async def test_orders_leave_as_cp932_whole_or_not_at_all(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await bought(opened, linked)
        columns = "columns=order_number,title,quantity,unit_price"
        path = f"/v1/orders.csv?{columns}&account_id={linked.account.account_id}&external_id="
        answer = await opened.hanro.call("GET", f"{path}{order['external_id']}&encoding=cp932")
        assert answer.headers["content-type"] == "text/csv; charset=windows-31j"
        header, *rows = csv.reader(io.StringIO(answer.content.decode("cp932"), newline=""))
        assert header == ["注文番号", "商品名", "数量", "単価"]
        number = order["external_id"]
        # One character of JIS, two code points: cp932 knows the second.
        tea = [number, "見本煎茶 ①髙級㈱～50g", "2", "1080"]
        assert sorted(rows) == sorted([tea, [number, "架空マグカップ", "1", "2980"]])

        other = await bought(opened, linked, LINES[0], {**LINES[1], "itemName": "贈り物😀"})
        path += other["external_id"]
        refused = (await opened.hanro.call("GET", f"{path}&encoding=cp932", expected=(409,))).json()
        assert refused["code"] == "text-unencodable"
        assert [one["detail"] for one in refused["errors"]] == ["row 3, column title, character 4: U+1F600"]
        whole = (await opened.hanro.call("GET", f"{path}&encoding=utf-8-sig")).content.decode("utf-8-sig")
    assert "贈り物😀" in whole
