"""Pushed notices are read by kind, answered to the byte, and believed with the shop's key alone."""

from datetime import UTC, datetime

import pytest

from hanro.marketplace.port import Secrets
from hanro.marketplace.types import NoticeKind, Notices
from hanro_rakuten_ichiba.plugin import plugin

NUMBER = "999001-20260511-0123456789"
AUTH = "<authModel><contractId>1</contractId><shopUrl>example-shop</shopUrl><authKey>TEST</authKey></authModel>"
# rakuten-ichiba-orders 11.
SAMPLE = f"""<notifyModel>{AUTH}
<notifyInfoModel><requestId>r-1</requestId><serviceId>5000</serviceId><functionId>1100</functionId>
<value1 name="orderNumber">{NUMBER}</value1><value2 name="notificationType">1</value2>\
<value3 name="occurrenceDatetime">2026/05/11 11:02:08</value3></notifyInfoModel></notifyModel>"""


def read(text: str | bytes, key: str = "TEST") -> Notices:
    secrets = Secrets(values={"notice_auth_key": key}, version=1, stored_at=datetime(2026, 6, 1, tzinfo=UTC))
    return plugin.read_notice(text.encode() if isinstance(text, str) else text, {}, secrets)


def system(service: str, *values: tuple[str, str]) -> str:
    told = "".join(f'<value{n} name="{name}">{text}</value{n}>' for n, (name, text) in enumerate(values, start=1))
    model = f"<requestId>r-9</requestId><serviceId>{service}</serviceId><functionId>1100</functionId>{told}"
    return f"<notifyModel>{AUTH}<notifyInfoModel>{model}</notifyInfoModel></notifyModel>"


def test_the_sample_is_an_order_that_may_be_shipped() -> None:
    found = read(SAMPLE)
    (notice,) = found.notices
    assert (notice.external_id, notice.kind, notice.order_ids) == ("system-r-1", NoticeKind.ORDER_RELEASED, (NUMBER,))
    assert notice.at is not None
    assert notice.at.at == datetime(2026, 5, 11, 2, 2, 8, tzinfo=UTC)
    assert found.stored.body == b"<responseModel><resultCode>N-000-000</resultCode></responseModel>"
    assert found.failed.body == b"<responseModel><resultCode>E-400-900</resultCode></responseModel>"
    assert (found.stored.status, found.stored.headers["Content-Type"]) == (200, "text/xml")


@pytest.mark.parametrize(
    ("service", "values", "kind", "order_ids"),
    [
        ("3000", [("file", "a.csv")], NoticeKind.FILE_DONE, ()),
        ("3100", [("file", "a.zip")], NoticeKind.FILE_DONE, ()),
        ("4000", [("operation", "update"), ("orderNumber", NUMBER)], NoticeKind.ORDER_CHANGED, (NUMBER,)),
        ("4100", [("pageURL", "https://example.invalid")], NoticeKind.RESTOCK_ASKED, ()),
        ("5000", [("a", NUMBER), ("b", "2"), ("c", "")], NoticeKind.ORDER_CANCELLED, (NUMBER,)),
        ("5000", [("orderNumber", NUMBER), ("type", "3")], NoticeKind.ORDER_CHANGED, (NUMBER,)),
        ("5100", [("orderNumber", NUMBER), ("cautionDisplayType", "2")], NoticeKind.CAUTION, (NUMBER,)),
        ("9999", [], NoticeKind.OTHER, ()),
    ],
)
def test_each_kind_is_known_by_its_service(
    service: str, values: list[tuple[str, str]], kind: NoticeKind, order_ids: tuple[str, ...]
) -> None:
    (notice,) = read(system(service, *values)).notices
    assert (notice.kind, notice.order_ids) == (kind, order_ids)


def test_new_orders_come_several_at_once_and_each_once() -> None:
    def order(number: int) -> str:
        told = f"<orderNumber>999001-20260511-000000000{number}</orderNumber><seqId>{number}</seqId>"
        return f"<orderInfoNotifyModel>{told}<orderDate>nonsense</orderDate></orderInfoNotifyModel>"

    found = read(f"<orderNotifyModel>{AUTH}{order(1)}{order(2)}{order(1)}</orderNotifyModel>")
    assert [(one.kind, one.external_id, one.at) for one in found.notices] == [
        (NoticeKind.ORDER_PLACED, "order-1", None),
        (NoticeKind.ORDER_PLACED, "order-2", None),
    ]


@pytest.mark.row("O17", kind="refuses")
@pytest.mark.parametrize("key", ["", "test", "TEST ", "TESTTEST"])
def test_another_key_is_answered_so_and_nothing_is_believed(key: str) -> None:
    found = read(SAMPLE, key)
    assert found.notices == ()
    assert found.stored.body == b"<responseModel><resultCode>E-400-101</resultCode></responseModel>"


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"notifyModel",
        SAMPLE[:-3].encode(),
        (BOMB + SAMPLE).encode(),
        (BOMB + SAMPLE).encode("utf-16"),
        (SAMPLE + " " * 1024 * 1024).encode(),
        b"<responseModel/>",
    ],
)
def test_what_is_no_notice_is_answered_so(body: bytes) -> None:
    found = read(body)
    assert found.notices == ()
    assert (
        found.stored.body == found.failed.body == b"<responseModel><resultCode>E-400-100</resultCode></responseModel>"
    )
