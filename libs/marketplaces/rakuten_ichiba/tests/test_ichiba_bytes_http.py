"""How foreign HTTP clients differ: header case, framing, targets, credentials; each gets the same bytes."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
from ichiba_samples import SEARCH_NO_HIT, SEARCH_REQUEST, SUB_STATUS_LIST
from ichiba_wire import JSON_TYPE, SECONDS, Shop, open_shop, running_simulator, set_clock

PATH = "/es/2.0/order/searchOrder/"
PERIOD = {"startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-06-30T23:59:59+0900"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("http")) as running:
        set_clock(running, "2026-06-01T12:00:00+09:00")
        yield open_shop(running, "999001")


def head(shop: Shop, *lines: str, target: str = PATH, method: str = "POST", version: str = "HTTP/1.1") -> bytes:
    """Give a request's head with the shop's credentials and these lines besides."""
    first = (f"{method} {target} {version}", "Host: 127.0.0.1", f"Authorization: {shop.authorization}")
    return "\r\n".join((*first, f"Content-Type: {JSON_TYPE}", *lines, "Connection: close", "", "")).encode("latin-1")


def sized(shop: Shop, body: bytes, **changes: str) -> bytes:
    """Give a whole request whose length is told."""
    return head(shop, f"Content-Length: {len(body)}", **changes) + body


def test_header_names_may_have_any_letter_case(shop: Shop) -> None:
    for change in (bytes.lower, bytes.upper):
        names = b"Host", b"Authorization", b"Content-Type", b"Content-Length", b"Connection"
        message = sized(shop, SEARCH_REQUEST)
        for name in names:
            message = message.replace(name + b":", change(name) + b":")
        answer = shop.simulator.send_bytes(message)
        assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


def test_a_body_may_come_in_chunks(shop: Shop) -> None:
    chunks = [SEARCH_REQUEST[:7], SEARCH_REQUEST[7:]]
    body = b"".join(b"%x;name=value\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    answer = shop.simulator.send_bytes(head(shop, "Transfer-Encoding: chunked") + body)
    assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


def test_a_client_that_expects_100_is_told_to_continue(shop: Shop) -> None:
    with socket.create_connection(("127.0.0.1", shop.simulator.port), timeout=SECONDS) as connection:
        connection.sendall(head(shop, f"Content-Length: {len(SEARCH_REQUEST)}", "Expect: 100-continue"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(SEARCH_REQUEST)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_asks_for_http_2_is_answered_in_http_1_1_and_may_go_on(shop: Shop) -> None:
    ask = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA")
    first = head(shop, f"Content-Length: {len(SEARCH_REQUEST)}", *ask).replace(b"Connection: close\r\n", b"")
    with socket.create_connection(("127.0.0.1", shop.simulator.port), timeout=SECONDS) as connection:
        connection.sendall(first + SEARCH_REQUEST + sized(shop, SEARCH_REQUEST))
        received = bytearray()
        while octets := connection.recv(65536):
            received += octets
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert received.count(SEARCH_NO_HIT) == 2


def test_http_1_0_is_answered(shop: Shop) -> None:
    answer = shop.simulator.send_bytes(sized(shop, SEARCH_REQUEST, version="HTTP/1.0"))
    assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


@pytest.mark.parametrize(
    "target",
    [
        "//es/2.0/order/searchOrder/",
        "/es/2.0/order//searchOrder",
        "/es/2.0/order/searchOrder//",
        "/es/2.0/order/search%4Frder",
        "/es/2.0/order/searchOrder/?x=1",
        "http://api.example.invalid/es/2.0/order/searchOrder/",
    ],
)
def test_a_base_url_with_a_slash_too_many_and_other_spellings_of_a_path_reach_it(shop: Shop, target: str) -> None:
    answer = shop.simulator.send_bytes(sized(shop, SEARCH_REQUEST, target=target))
    assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


@pytest.mark.parametrize(
    "target", ["/ES/2.0/order/searchOrder", "/es/2.0/order/searchOrder;v=1", "/_simx", "/%ff", "*"]
)
def test_other_targets_are_404(shop: Shop, target: str) -> None:
    assert shop.simulator.send_bytes(sized(shop, SEARCH_REQUEST, target=target)).status == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "post", "MERGE"])
def test_other_methods_are_405_with_what_is_allowed(shop: Shop, method: str) -> None:
    answer = shop.simulator.send_bytes(sized(shop, b"", method=method))
    assert (answer.status, answer.header("Allow")) == (405, "POST")
    assert (answer.body == b"") is (method == "HEAD")
    read = shop.simulator.send_bytes(sized(shop, b"", method="POST", target="/es/1.0/shop/shopMaster"))
    assert (read.status, read.header("Allow")) == (405, "GET")


@pytest.mark.parametrize(
    "content_type",
    [
        'application/json; charset="utf-8"',
        "application/json ; charset=utf-8",
        "application/json; charset = utf-8",
        "application/json; x=y; charset=utf-8",
        "application/json; charset=utf-8;",
    ],
)
def test_a_content_type_may_be_spelt_in_all_ways_that_http_allows(shop: Shop, content_type: str) -> None:
    assert shop.post("searchOrder/", SEARCH_REQUEST, Content_Type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=Shift_JIS", "text/json; charset=utf-8", "application/json,charset=utf-8"],
)
def test_another_charset_or_type_is_415(shop: Shop, content_type: str) -> None:
    assert shop.post("searchOrder/", SEARCH_REQUEST, Content_Type=content_type).status == 415


def test_blanks_around_a_header_are_no_part_of_it_and_blanks_inside_spoil_the_credentials(shop: Shop) -> None:
    scheme, _, encoded = shop.authorization.partition(" ")
    for taken in (f"  {shop.authorization}", f"{shop.authorization} \t"):
        assert shop.post("searchOrder/", SEARCH_REQUEST, Authorization=taken).status == 200
    for spoilt in (
        f"{scheme}  {encoded}",
        f"{scheme}\t{encoded}",
        f"{scheme} {encoded[:20]} {encoded[20:]}",
        f"{scheme} {encoded[:60]}\r\n {encoded[60:]}",
        f"{scheme.lower()} {encoded}",
        f"{scheme}:{encoded}",
        encoded,
    ):
        answer = shop.post("searchOrder/", SEARCH_REQUEST, Authorization=spoilt)
        assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "GK0001"), spoilt


def test_a_client_that_takes_gzip_gets_plain_bytes(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST, Accept_Encoding="gzip, deflate, br")
    assert (answer.header("Content-Encoding"), answer.body) == (None, SEARCH_NO_HIT)


def test_refusals_of_all_kinds_leave_the_connection_open(shop: Shop) -> None:
    good = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
    with closing(http.client.HTTPConnection("127.0.0.1", shop.simulator.port, timeout=SECONDS)) as connection:
        connection.connect()
        line = connection.sock
        statuses = []
        for path, headers, body in (
            (PATH, good, SEARCH_REQUEST),
            ("/nowhere", good, SEARCH_REQUEST),
            (PATH, good | {"Authorization": "ESA x"}, SEARCH_REQUEST),
            (PATH, good | {"Content-Type": "text/plain"}, SEARCH_REQUEST),
            (PATH, good, b"no json"),
            ("/es/2.0/order/getSubStatusList", good, b""),
        ):
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            statuses.append(answer.status)
            last = answer.read()
        assert statuses == [200, 404, 400, 415, 400, 200]
        assert last == SUB_STATUS_LIST
        assert connection.sock is line


def test_slow_clients_keep_nobody_waiting(shop: Shop) -> None:
    with ExitStack() as open_connections:
        for _ in range(100):
            slow = open_connections.enter_context(
                closing(socket.create_connection(("127.0.0.1", shop.simulator.port), timeout=SECONDS))
            )
            slow.sendall(head(shop, "Content-Length: 1000") + b"{")
        answer = shop.post("searchOrder/", SEARCH_REQUEST)
        assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


def test_fields_of_a_megabyte_are_answered(shop: Shop) -> None:
    long = "見" * 1_000_000
    for function, body in (
        ("searchOrder", {"dateType": 1, **PERIOD, "searchKeywordType": 1, "searchKeyword": long}),
        ("searchOrder", {"dateType": 1, **PERIOD, long: 1}),
        ("getOrder", {"orderNumberList": [long], "version": 10}),
        ("confirmOrder", {"orderNumberList": [long]}),
    ):
        assert shop.post(function, json.dumps(body, ensure_ascii=False).encode()).status in {200, 400}
    assert shop.simulator.control("GET", "/journal?kind=bug")["entries"] == []


def test_two_clients_page_to_the_end_while_orders_come_and_are_confirmed(shop: Shop) -> None:
    shop = open_shop(shop.simulator, "999002")
    before = shop.control("POST", "/orders", {"count": 60, "is_plain": True, "placed_days_ago": 1})["external_ids"]
    has_begun, is_over = threading.Event(), threading.Event()

    def trade() -> None:
        while not is_over.is_set():
            number = shop.control("POST", "/orders", {"is_plain": True})["external_id"]
            assert shop.post("confirmOrder", json.dumps({"orderNumberList": [number]}).encode()).status == 200
            has_begun.set()

    def page_through() -> list[str]:
        found: list[str] = []
        page = 0
        has_begun.wait(SECONDS)
        while True:
            page += 1
            pagination = {
                "requestRecordsAmount": 10,
                "requestPage": page,
                "SortModelList": [{"sortColumn": 1, "sortDirection": 1}],
            }
            asked = {"dateType": 1, **PERIOD, "PaginationRequestModel": pagination}
            answer = shop.post("searchOrder", json.dumps(asked).encode())
            assert answer.status == 200
            numbers = answer.json()["orderNumberList"]
            if not numbers or page > 20:
                return found
            found += numbers
            read = shop.post("getOrder", json.dumps({"orderNumberList": numbers, "version": 10}).encode())
            assert [order["orderNumber"] for order in read.json()["OrderModelList"]] == numbers

    with ThreadPoolExecutor(3) as pool:
        trader = pool.submit(trade)
        readers = [pool.submit(page_through) for _ in range(2)]
        found = [reader.result() for reader in readers]
        is_over.set()
        trader.result()
    assert has_begun.is_set()
    for numbers in found:
        # Ascending pages: what was there before stands before what comes.
        assert numbers[:60] == before
        assert len(set(numbers)) == len(numbers)
