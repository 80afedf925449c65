"""Every request sample of sections 4 and 15 over one kept connection of a plain HTTP client: status and bytes."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from ichiba_full_order import FULL_ANSWER, FULL_ORDER, compact
from ichiba_samples import (
    ASYNC_RESULT_REQUEST,
    CANCEL_REQUEST,
    CONFIRM_MIXED,
    CONFIRM_REQUEST,
    FIRST_ORDER_NUMBER,
    MEMO_ANSWER,
    MEMO_REQUEST,
    NOT_ENABLED,
    READ_NONE_FOUND,
    READ_REQUEST,
    READ_VERSION_MISSING,
    SEARCH_BAD_INPUT,
    SEARCH_HITS,
    SEARCH_NO_HIT,
    SEARCH_REQUEST,
    SECOND_ORDER_NUMBER,
    SHIPPED_PACKAGE,
    SHIPPING_ANSWER,
    SHIPPING_MALFORMED,
    SHIPPING_MALFORMED_REQUEST,
    SHIPPING_REQUEST,
    SUB_STATUS_LIST,
    UNAUTHORISED,
)
from ichiba_wire import JSON_TYPE, Shop, authorization, open_shop, place_order, running_simulator, set_clock

NO_RESULT = (
    '{"ResultShippingModelList":[{"MessageModelList":[{"messageType":"INFO",'
    '"messageCode":"ORDER_EXT_API_GET_RESULT_UPDATEORDERSHIPPING_ASYNC_INFO_101",'
    '"message":"指定されたリクエストIDの処理結果は存在しませんでした。"}]}]}'
).encode()
ROWS_MISSING = (
    '{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_009",'
    '"message":"ShippingModelListの項目を指定して下さい。","dataNumber":null,"shippingDetailId":null}]}'
).encode()
BASKETS_MISSING = (
    '{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ASYNC_ERROR_009",'
    '"message":"BasketidModelListの項目を指定して下さい。","orderNumber":"...","dataNumber":null,'
    '"shippingDetailId":null}]}'
).encode()
FOREIGN_SUB_STATUS = (
    b'{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSUBSTATUS_ERROR_016",'
    b'"message":"(text unknown: an order of another shop)","orderNumber":"..."}]}'
)
DATE_REGISTERED = (
    b'{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_CANCEL_ORDER_ERROR_999",'
    b'"message":"(text unknown: a shipping date is registered)","orderNumber":"999001-20260511-0123456789"}]}'
)
STATES_MISSING = (
    '{"orderNumberList":null,"MessageModelList":[{"messageType":"ERROR","messageCode":'
    '"ORDER_EXT_API_SEARCH_ORDER_ERROR_009","message":"orderProgressListの項目を指定して下さい。"}],'
    '"PaginationResponseModel":null}'
).encode()
ELLIPSIS_UNKNOWN = (
    b'{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_CONFIRM_ORDER_ERROR_999",'
    b'"message":"(text unknown: no such order)","orderNumber":"..."}]}'
)


@dataclass(frozen=True)
class Sample:
    """State one exchange; `reader` asks with the shop that holds the full order of 15.2."""

    section: str
    function: str
    request: bytes
    status: int
    answer: bytes
    by_reader: bool = False


def no_order(prefix: str) -> bytes:
    """Give the answer about the order "...", which no shop has."""
    return (
        f'{{"MessageModelList":[{{"messageType":"ERROR","messageCode":"ORDER_EXT_API_{prefix}_ERROR_999",'
        '"message":"(text unknown: no such order)","orderNumber":"..."}]}'
    ).encode()


CANCEL = b'{"orderNumber":"...","inventoryRestoreType":%d,"changeReasonDetailApply":8}'
# In the order of sending: 15.1 looks for the first order in state 100, which 15.3 confirms.
SAMPLES = (
    Sample(
        "4.1", "searchOrder", SEARCH_REQUEST.replace(b"[100,300]", b'[],"subStatusIdList":[-1]'), 400, STATES_MISSING
    ),
    Sample("4.3", "confirmOrder", b'{"orderNumberList":["..."]}', 200, ELLIPSIS_UNKNOWN),
    Sample(
        "4.4",
        "updateOrderShipping",
        b'{ "orderNumber": "...", "BasketidModelList": [ { "basketId": 90010001 } ] }',
        400,
        ROWS_MISSING,
    ),
    Sample(
        "4.5", "updateOrderShippingAsync", b'{"OrderShippingModelList":[{"orderNumber":"..."}]}', 200, BASKETS_MISSING
    ),
    Sample("4.6", "getResultUpdateOrderShippingAsync", b'{"requestId":"..."}', 200, NO_RESULT),
    *(Sample("4.7", "getSubStatusList", body, 200, SUB_STATUS_LIST) for body in (b"", b"null", b"{}")),
    *(
        Sample("4.8", "updateOrderSubStatus", body, 200, FOREIGN_SUB_STATUS)
        for body in (
            b'{"subStatusId": 3423, "orderNumberList":["..."]}',
            b'{"subStatusId": null, "orderNumberList":["..."]}',
        )
    ),
    Sample("4.9", "updateOrderMemo", b'{"orderNumber":"...","memo":""}', 200, no_order("UPDATE_ORDERMEMO")),
    Sample("4.10", "updateOrderRemarks", b'{"orderNumber":"...","giftCheck":1}', 200, no_order("UPDATE_ORDERREMARKS")),
    *(Sample("4.13", "cancelOrder", CANCEL % restore, 200, no_order("CANCEL_ORDER")) for restore in (0, 1, 2)),
    *(
        Sample("4.14", "cancelOrderAfterShipping", CANCEL % restore, 200, no_order("CANCEL_ORDER_AFTER_SHIPPING"))
        for restore in (0, 1, 2)
    ),
    *(
        Sample("4.18", "getPayment", b'{"orderNumber":"...","version":%d}' % version, 200, no_order("GET_PAYMENT"))
        for version in (3, 4)
    ),
    Sample("15.1", "searchOrder", SEARCH_REQUEST, 200, SEARCH_HITS),
    Sample(
        "15.1",
        "searchOrder",
        SEARCH_REQUEST.replace(b"2026-05", b"2026-04").replace(b"04-31", b"04-30"),
        200,
        SEARCH_NO_HIT,
    ),
    Sample(
        "15.1",
        "searchOrder",
        b'{"startDatetime":"10-14T00:00:00+0900","endDatetime":"2026-05-31T23:59:59+0900"}',
        400,
        SEARCH_BAD_INPUT,
    ),
    Sample("15.2", "getOrder", READ_REQUEST, 200, compact(FULL_ANSWER), by_reader=True),
    Sample(
        "15.2",
        "getOrder",
        b'{"orderNumberList":["999001-20260101-0000000001","999001-20260101-0000000002"],"version":10}',
        200,
        READ_NONE_FOUND,
    ),
    Sample("15.2", "getOrder", b'{"orderNumberList":["999001-20260511-0123456789"]}', 400, READ_VERSION_MISSING),
    Sample("15.3", "confirmOrder", CONFIRM_REQUEST, 200, CONFIRM_MIXED),
    Sample("15.4", "updateOrderShipping", SHIPPING_REQUEST, 200, SHIPPING_ANSWER),
    Sample("15.4", "updateOrderShipping", SHIPPING_MALFORMED_REQUEST, 400, SHIPPING_MALFORMED),
    Sample("15.5", "getResultUpdateOrderShippingAsync", ASYNC_RESULT_REQUEST, 200, NO_RESULT),
    # The sub-status of 15.6 belongs to 300, the order is in 200 (4.8).
    Sample("15.6", "updateOrderMemo", MEMO_REQUEST.replace(b"9031", b"null"), 200, MEMO_ANSWER),
    # While a shipping date is registered there is no way to cancel (4.13).
    Sample("15.6", "cancelOrder", CANCEL_REQUEST, 200, DATE_REGISTERED),
)


@dataclass(frozen=True)
class Shops:
    """Hold the shop that searches and confirms, and the one that reads."""

    asker: Shop
    reader: Shop

    def send(self, connection: http.client.HTTPConnection, sample: Sample, slash: str) -> tuple[int, str]:
        """Send a sample over a connection that is kept."""
        shop = self.reader if sample.by_reader else self.asker
        headers = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
        connection.request("POST", f"/es/2.0/order/{sample.function}{slash}", sample.request, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    with running_simulator(tmp_path_factory.mktemp("samples")) as running:
        set_clock(running, "2026-06-01T12:00:00+09:00")
        asker, reader = open_shop(running, "999001"), open_shop(running, "999002")
        yield Shops(asker, reader)


@pytest.mark.parametrize("slash", ["/", ""])
def test_every_request_sample_gets_the_bytes_of_its_answer_over_one_connection(shops: Shops, slash: str) -> None:
    set_up(shops)
    with closing(http.client.HTTPConnection("127.0.0.1", shops.asker.simulator.port, timeout=20)) as connection:
        connection.connect()
        line = connection.sock
        for sample in SAMPLES:
            answer = shops.send(connection, sample, slash)
            assert answer == (sample.status, sample.answer.decode()), (sample.section, sample.function)
        assert connection.sock is line


def set_up(shops: Shops) -> None:
    """Give the asker the two orders of 15.1 in the states 100 and 300, the reader the full order of 15.2."""
    simulator = shops.asker.simulator
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    for shop in (shops.asker, shops.reader):
        open_shop(simulator, shop.id)
    place_order(shops.asker, FIRST_ORDER_NUMBER, "2026-05-11T10:15:30+0900", progress=100, raw=SHIPPED_PACKAGE)
    place_order(shops.asker, SECOND_ORDER_NUMBER, "2026-05-12T10:15:30+0900", progress=300)
    place_order(shops.reader, FIRST_ORDER_NUMBER, FULL_ORDER["orderDatetime"], progress=500, raw=FULL_ORDER)


def test_the_refusals_of_the_samples_and_the_licence_come_byte_for_byte_in_http_1_1(shops: Shops) -> None:
    set_up(shops)
    simulator, shop = shops.asker.simulator, shops.asker
    set_clock(simulator, "2026-08-30T12:00:00+09:00")
    issued = shop.control("POST", "/keys/issue")
    current = authorization(issued["service_secret"], issued["license_key"])
    path = f"license-management/license-key/expiry-date?licenseKey={issued['license_key']}"
    told = shop.get(path, Authorization=current)
    assert (told.status, told.body) == (200, b'{"expiryDate":"2026-11-28T23:59:59"}')
    wrong = shop.post("searchOrder/", SEARCH_REQUEST)
    assert (wrong.status, wrong.body) == (401, UNAUTHORISED)
    shop.control("PUT", "/grants/rpay.order.searchOrder", {"enabled": False})
    refused = shop.post("searchOrder/", SEARCH_REQUEST, Authorization=current)
    assert (refused.status, refused.body) == (400, NOT_ENABLED)


def test_the_http_message_of_15_1_is_taken_with_the_hosts_own_name(shops: Shops) -> None:
    set_up(shops)
    shop = shops.asker
    message = (
        "POST /es/2.0/order/searchOrder/ HTTP/1.1\r\n"
        "Host: api.rms.rakuten.co.jp\r\n"
        f"Authorization: {shop.authorization}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(SEARCH_REQUEST)}\r\n"
        "Connection: close\r\n\r\n"
    )
    answer = shop.simulator.send_bytes(message.encode() + SEARCH_REQUEST)
    assert (answer.status, answer.body) == (200, SEARCH_HITS)
