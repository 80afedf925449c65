"""Proves what stands on a delivery note, in words and on paper, whatever a buyer or a shop wrote."""

import io
from dataclasses import replace
from datetime import timedelta

import pypdf
import pytest
from note_subjects import (
    ADDRESS,
    NOT_DECIDED,
    REDUCED,
    STANDARD,
    bought,
    off_by,
    printed,
    sent_to,
    subject_of,
    text_of,
    texts,
    totals,
    whole_order,
)
from order_sightings import NOON, yen

from hanro.errors import Rejected, Retryable
from hanro.marketplace.types import (
    Address,
    AddressKind,
    Buyer,
    OrderStatus,
    PersonName,
    TaxRow,
)
from order_svc.documents import Press, PrintingFailed
from order_svc.domain.delivery_notes import obstacle, write
from order_svc.domain.printed import MISSING, UNDECIDED, percent, price

# Points: the margin of 18 mm and the frame's 88.
LEFT_COLUMN_ENDS_AT = 106 * 72 / 25.4


def lettered(*lines: str, name: str = "見本 花子") -> Address:
    return Address(lines=lines, country="JP", postal_code="100-0000", name=PersonName(full=name))


def pieces(page: pypdf.PageObject) -> list[tuple[float, float, str]]:
    """Give where each piece of text begins, and how wide it is at least, in points from the left edge."""
    found: list[tuple[float, float, str]] = []

    def see(text: str, ctm: list[float], matrix: list[float], _font: object, size: float) -> None:
        width = sum(1.0 if one > "\u2fff" else 0.25 for one in text.strip()) * size
        found.append((ctm[0] * matrix[4] + ctm[4], width, text))

    page.extract_text(visitor_text=see)
    return found


@pytest.mark.row("O13", kind="walks")
async def test_a_note_shows_buyer_shop_lines_gift_and_sums() -> None:
    (page,) = texts(await printed(whole_order()))
    for said in (
        *("納 品 書", "〒100-0000", "東京都見本区見本町1-2-3", "見本 花子 様", "ご注文者 贈 太郎 様"),
        *("見本ストア", "見本商事株式会社", "事業者番号 T7000012050002"),
        *("100001-20260301-0000000001", "2026/03/01 20:59", "クレジットカード"),
        *("煎茶 ①髙級㈱ 100g", "包装: 缶", "goods-1 2 ¥1,080 ※ ¥2,160", "湯呑み 白磁 goods-2 1 ¥2,980 ¥2,980"),
        *("のし: 御祝 見本", "ギフト: 希望あり", "メッセージ: お誕生日おめでとう"),
        *("ラッピング 包装紙: 桜 1 ¥280 ¥280", "商品合計 ¥5,420", "送料 ¥500", "合計(税込) ¥5,920", "代引手数料 ¥330"),
        *("クーポン(春の見本クーポン) -¥300", "ポイント利用 -¥300", "ご請求金額 ¥5,650"),
        *("※ は軽減税率(8%)対象です。", "1 / 1"),
    ):
        assert said in page
    assert "適格" not in page
    assert "決済手数料" not in page


async def test_what_is_due_for_each_rate_is_what_the_marketplace_states() -> None:
    order = whole_order(
        taxes=(
            TaxRow(rate=REDUCED, gross=yen(2161), tax=yen(159), details={}),
            TaxRow(rate=STANDARD, gross=yen(3333), tax=yen(7), details={}),
        )
    )
    (page,) = texts(await printed(order))
    # Neither follows from the lines, nor the tax from the gross: nothing is repaired.
    assert "8%対象 ¥2,161 ¥159" in page
    assert "10%対象 ¥3,333 ¥7" in page


async def test_forty_lines_have_their_head_and_number_on_every_page() -> None:
    lines = [bought(str(n), f"見本の品 {n:02}", options_text="色: 白\nサイズ: M\n名入れ: なし") for n in range(40)]
    pages = texts(await printed(whole_order(lines=tuple(lines))))
    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert ("商品番号" in page) == ("goods-" in page)
        assert f"{number} / 3" in page
        assert "100001-20260301-0000000001" in page
    assert sum(page.count("商品番号") for page in pages) >= 2
    assert all(f"見本の品 {n:02}" in "".join(pages) for n in range(40))


async def test_each_order_of_a_file_counts_its_own_pages() -> None:
    many = whole_order(lines=tuple(bought(str(n), f"品 {n}") for n in range(60)))
    pages = texts(await printed(whole_order(), many, whole_order()))
    assert [page.rpartition("0000000001 ")[2].strip() for page in pages] == ["1 / 1", "1 / 2", "2 / 2", "1 / 1"]


async def test_several_destinations_have_their_own_sections() -> None:
    osaka = lettered("大阪府見本市見本1-1", name="二人目 様子")
    order = whole_order(
        lines=(bought("1", "ひとつめ"), bought("2", "ふたつめ", package_id="p2")),
        packages=(sent_to(), sent_to(osaka, package_id="p2", noshi="内祝")),
    )
    (page,) = texts(await printed(order))
    first, second = page.partition("お届け先 2/2")[::2]
    assert page.startswith("〒100-0000\n東京都見本区見本町1-2-3\n見本ビル 405号室\n贈 太郎 様")
    assert "お届け先 1/2" in first
    assert "ひとつめ" in first
    assert "送料 ¥500" in first
    assert all(said in second for said in ("大阪府見本市見本1-1", "二人目 様子 様", "のし: 内祝", "ふたつめ"))


@pytest.mark.parametrize(
    "line",
    ["東京都見本区見本町大字見本" * 20, "Wagamama" * 32, "a/b-c_" * 43, "1234567890" * 26],
    ids=["kanji", "Latin", "signs", "digits"],
)
@pytest.mark.row("O13", kind="walks")
async def test_an_address_of_255_characters_is_whole_and_stays_in_its_frame(line: str) -> None:
    address = lettered(line[:255], name="長" * 60)
    file = await printed(whole_order(packages=(sent_to(address),)))
    assert line[:255] in text_of(file)
    (page,) = pypdf.PdfReader(io.BytesIO(file)).pages
    found = pieces(page)
    # The recipient is set first, then the title.
    title = next(place for place, (_, _, text) in enumerate(found) if "納" in text)
    ends = [x + width for x, width, text in found[:title] if text.strip()]
    assert ends
    assert max(ends) < LEFT_COLUMN_ENDS_AT


async def test_texts_are_never_evaluated_and_what_cannot_be_seen_is_shown_as_missing() -> None:
    titles = (
        '#panic("x") $x^2$ *b* _i_ `c` <last-0> @ref \\u{41} #sys.inputs',
        "= 見出し\n- 箇条 // 注釈 /* 中 */",
        "①㈱髙〜ﾊﾝｶｸ𠮷",
        "前\x00後\x07\u202e逆\u202c",
    )
    order = whole_order(lines=tuple(bought(str(n), title) for n, title in enumerate(titles)))
    (page,) = texts(await printed(order))
    page = "".join(page.split())
    for said in (*titles[:3], f"前{MISSING}後{MISSING}{MISSING}逆{MISSING}"):
        assert "".join(said.split()) in page


async def test_a_character_without_type_stands_as_a_box_and_keeps_its_place() -> None:
    order = whole_order(lines=(bought("1", "左😀右"), bought("2", "前 שלום 後")))
    (page,) = texts(await printed(order))
    assert "左" in page
    assert "右" in page
    assert page.index("前") < page.index("後")


def test_what_is_not_decided_reads_so_and_a_difference_is_told() -> None:
    note = write(
        subject_of(
            whole_order(
                totals=totals(postage=NOT_DECIDED, total=NOT_DECIDED, payable=NOT_DECIDED), differences=(off_by(5900),)
            )
        ),
        is_invoice=False,
    )
    sums = dict(note["sums"])
    assert (sums["送料"], sums["合計(税込)"], sums["ご請求金額"]) == (UNDECIDED,) * 3
    assert "金額の相違(totalPrice): 記載 ¥5,920 / 内訳からの計算 ¥5,900" in note["remarks"]


def test_cancelled_and_removed_lines_are_not_delivered() -> None:
    lines = (
        bought("1", "残る品"),
        bought("2", "取消の品", status=OrderStatus.CANCELLED),
        bought("3", "減った品", quantity=0),
    )
    note = write(subject_of(whole_order(lines=lines)), is_invoice=False)
    assert [row["title"] for row in note["sections"][0]["rows"]] == ["残る品", "ラッピング 包装紙: 桜"]


def test_an_address_that_is_awaited_says_so() -> None:
    awaited = replace(ADDRESS, kind=AddressKind.AWAITED, lines=("入力待ち",))
    note = write(subject_of(whole_order(packages=(sent_to(awaited),))), is_invoice=False)
    assert note["recipient"]["lines"] == ["お届け先はまだ入力されていません。"]


def test_an_account_without_an_issuer_names_itself_alone() -> None:
    note = write(subject_of(whole_order(), issuer=None), is_invoice=False)
    assert note["shop"] == {"name": "見本ストア", "issuer": "", "number": ""}


def test_a_price_without_tax_says_so_and_a_stated_line_total_is_kept() -> None:
    lines = (bought("1", "税抜の品", quantity=3, price=1500, is_tax_included=False, total=yen(4501)),)
    note = write(subject_of(whole_order(lines=lines, wrappings=())), is_invoice=False)
    assert [(row["unit"], row["amount"]) for row in note["sections"][0]["rows"]] == [("¥1,500(税抜)", "¥4,501")]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"lines": (bought("1", "品", status=OrderStatus.CANCELLED),)}, "order-cancelled"),
        ({"lines": (bought("1", "品", quantity=0),)}, "order-cancelled"),
    ],
)
@pytest.mark.row("O13", kind="refuses")
def test_a_cancelled_order_has_no_note(changed: dict[str, object], code: str) -> None:
    refused = obstacle(subject_of(whole_order(**changed)), is_invoice=False)
    assert refused is not None
    assert refused.code == code
    assert refused.remedy is not None


def test_an_order_without_its_buyer_has_no_note() -> None:
    known = replace(subject_of(whole_order()), personal=None)
    erased = replace(known, order=replace(known.order, erased_at=NOON))
    assert [one.code for one in (obstacle(known, is_invoice=False), obstacle(erased, is_invoice=False)) if one] == [
        "buyer-unknown",
        "buyer-erased",
    ]


def test_a_quarantined_order_has_no_note() -> None:
    known = subject_of(whole_order())
    refused = obstacle(replace(known, order=replace(known.order, is_quarantined=True)), is_invoice=False)
    assert refused is not None
    assert refused.code == "order-quarantined"


@pytest.mark.parametrize(
    ("changed", "linked", "code"),
    [
        ({}, {"issuer": None}, "issuer-missing"),
        ({"taxes": ()}, {}, "tax-undecided"),
        ({"taxes": (TaxRow(rate=REDUCED, gross=NOT_DECIDED, tax=NOT_DECIDED, details={}),)}, {}, "tax-undecided"),
    ],
)
@pytest.mark.row("JP5", kind="refuses")
def test_a_qualified_invoice_needs_issuer_and_tax_and_the_note_stays(
    changed: dict[str, object], linked: dict[str, object], code: str
) -> None:
    subject = subject_of(whole_order(**changed), **linked)
    refused = obstacle(subject, is_invoice=True)
    assert refused is not None
    assert refused.code == code
    assert obstacle(subject, is_invoice=False) is None


async def test_a_qualified_invoice_names_itself_and_its_registration() -> None:
    (page,) = texts(await printed(whole_order(), is_invoice=True))
    assert "納品書 兼 適格請求書" in page
    assert "登録番号 T7000012050002" in page


def test_a_note_shows_no_buyer_when_it_is_looked_at_in_a_debugger() -> None:
    assert "花子" not in repr(subject_of(whole_order()))


def test_a_buyer_with_no_address_is_still_addressed() -> None:
    buyer = Buyer(name=PersonName(full="宛先 なし"), address=None, email=None, is_email_masked=False)
    note = write(subject_of(whole_order(buyer=buyer, packages=(sent_to(None),))), is_invoice=False)
    assert note["recipient"] == {"postal": "", "lines": [], "name": "宛先 なし 様"}


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ({"money": {"amount": "1980", "currency": "JPY"}}, "¥1,980"),
        ({"money": {"amount": "1234.50", "currency": "EUR"}}, "1,234.50 EUR"),
        ({"money": {"amount": "-5", "currency": "JPY"}}, "-¥5"),
        ({"money": {"amount": "0", "currency": "JPY"}}, "¥0"),
        ({"money": None}, UNDECIDED),
    ],
)
def test_an_amount_is_written_as_people_read_it(amount: dict[str, object], said: str) -> None:
    assert price(amount) == said


def test_a_rate_is_written_in_per_cent() -> None:
    assert [percent(rate) for rate in ("0.1", "0.08", "0.10", "0.055", "0")] == ["10%", "8%", "10%", "5.5%", "0%"]


async def test_a_press_that_takes_too_long_is_stopped() -> None:
    press = Press(time_limit=timedelta(seconds=0.01))
    with pytest.raises(Rejected) as refused:
        await press.print([write(subject_of(whole_order()), is_invoice=False)])
    assert refused.value.code == "document-too-large"


async def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        await Press(largest_file=1000).print([write(subject_of(whole_order()), is_invoice=False)])
    assert refused.value.code == "document-too-large"


async def test_who_comes_when_too_many_wait_is_told_to_come_again() -> None:
    with pytest.raises(Retryable) as busy:
        await Press(longest_queue=0).print([])
    assert busy.value.code == "throttled"


async def test_a_press_that_fails_says_nothing_of_what_it_was_given() -> None:
    with pytest.raises(PrintingFailed) as failed:
        await Press().print([{"title": "花子"}])
    assert "花子" not in f"{failed.value} {failed.value.__cause__} {failed.value.__context__}"
