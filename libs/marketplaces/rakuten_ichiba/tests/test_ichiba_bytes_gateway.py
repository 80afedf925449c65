"""What stands before the functions: refusals of 1.2, header spelling of 1.4, the rate of 1.3, byte for byte."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ichiba_samples import (
    NOT_ENABLED,
    OLDER_UNAUTHORISED,
    SEARCH_NO_HIT,
    SEARCH_REQUEST,
    TOO_MANY,
    UNAUTHORISED,
)
from ichiba_wire import JSON_TYPE, Shop, Simulator, authorization, open_shop, running_simulator, set_clock

NOW = "2026-06-01T12:00:00+09:00"
JSON_ANSWER = "application/json;charset=UTF-8"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        set_clock(running, NOW)
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    return open_shop(simulator, "999001")


def test_an_answer_has_the_recorded_headers_in_their_spelling(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST)
    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.header("Server") == "openresty"
    assert answer.header("Content-Type") == JSON_ANSWER
    assert answer.header("Cache-Control") == "no-cache,no-store"
    assert answer.header("Pragma") == "no-cache"
    assert answer.header("Vary") == "Accept-Encoding"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-XSS-Protection") == "1; mode=block"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.header("RequestId") or "")
    assert answer.header("Set-Cookie")
    assert answer.header("Content-Length") == str(len(SEARCH_NO_HIT))
    assert len({name.lower() for name in answer.names}) == len(answer.names)


def test_the_timestamp_header_is_utc_without_a_zone(shop: Shop) -> None:
    stamp = shop.post("searchOrder/", SEARCH_REQUEST).header("Timestamp") or ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", stamp)
    expected = datetime.fromisoformat(NOW).astimezone(UTC)
    assert abs((datetime.fromisoformat(stamp).replace(tzinfo=UTC) - expected).total_seconds()) < 600


def test_request_ids_differ(shop: Shop) -> None:
    ids = {shop.post("searchOrder/", SEARCH_REQUEST).header("RequestId") for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "ESA",
        "ESA ",
        "Bearer abc",
        "Basic c2VjcmV0OmtleQ==",
        "ESA !!!not-base64!!!",
        "ESA " + base64.b64encode(b"no colon").decode(),
        "ESA c2VjcmV0OmtleQ",
    ],
)
def test_malformed_credentials_are_400_gk0001(simulator: Simulator, header: str | None) -> None:
    headers = {"Content-Type": JSON_TYPE} | ({} if header is None else {"Authorization": header})
    answer = simulator.send("POST", "/es/2.0/order/searchOrder/", SEARCH_REQUEST, headers)
    assert answer.status == 400
    assert list(answer.json()) == ["errors"]
    assert [error["code"] for error in answer.json()["errors"]] == ["GK0001"]
    assert answer.header("Content-Type") == JSON_ANSWER


def test_a_wrong_key_is_401_byte_for_byte(shop: Shop) -> None:
    for wrong in (
        authorization(shop.service_secret, "SL999001_AAAAAAAAAAAAAAAA"),
        authorization("SP999001_AAAAAAAAAAAAAAAA", shop.license_key),
        authorization(shop.license_key, shop.service_secret),
        authorization(f" {shop.service_secret}", shop.license_key),
        authorization(shop.service_secret, f"{shop.license_key} "),
        authorization(shop.service_secret, f"{shop.license_key}\n"),
    ):
        answer = shop.post("searchOrder/", SEARCH_REQUEST, Authorization=wrong)
        assert (answer.status, answer.body) == (401, UNAUTHORISED)


def test_the_keys_have_the_published_shapes(shop: Shop) -> None:
    assert re.fullmatch(r"SP999001_[A-Za-z0-9]{16}", shop.service_secret)
    assert re.fullmatch(r"SL999001_[A-Za-z0-9]{16}", shop.license_key)


def test_an_expired_key_is_401_in_every_family(simulator: Simulator) -> None:
    shop = open_shop(simulator, "999003")
    shop.control("POST", "/keys/expire")
    for answer in (
        shop.post("searchOrder/", SEARCH_REQUEST),
        shop.post("getOrder/", b'{"orderNumberList":["999003-20260101-0000000001"],"version":10}'),
        shop.get(f"license-management/license-key/expiry-date?licenseKey={shop.license_key}"),
        shop.get("shop/shopMaster"),
    ):
        assert (answer.status, answer.body) == (401, UNAUTHORISED)


def test_a_function_that_is_not_enabled_is_400_es04(simulator: Simulator) -> None:
    shop = open_shop(simulator, "999004")
    shop.control("PUT", "/grants/rpay.order.searchOrder", {"enabled": False})
    refused = shop.post("searchOrder/", SEARCH_REQUEST)
    assert (refused.status, refused.body) == (400, NOT_ENABLED)
    assert shop.post("getSubStatusList/", b"{}").status == 200
    shop.control("PUT", "/grants/rpay.order.searchOrder", {"enabled": True})
    assert shop.post("searchOrder/", SEARCH_REQUEST).status == 200


def test_a_wrong_key_is_told_before_anything_about_the_call(shop: Shop) -> None:
    wrong = authorization(shop.service_secret, "SL999001_AAAAAAAAAAAAAAAA")
    answer = shop.post("searchOrder/", b"no json", Authorization=wrong, Content_Type="text/plain")
    assert (answer.status, answer.body) == (401, UNAUTHORISED)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON; Charset=UTF-8",
    ],
)
def test_the_charset_may_be_written_with_or_without_blank_in_any_case(shop: Shop, content_type: str) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST, Content_Type=content_type)
    assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json;", "text/plain; charset=utf-8", "application/xml", ""]
)
def test_other_content_types_are_415_es04_03(shop: Shop, content_type: str) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST, Content_Type=content_type)
    assert answer.status == 415
    assert b'"ES04-03"' in answer.body
    assert b"Unsupported Media Type" in answer.body


def test_a_missing_content_type_is_415(shop: Shop) -> None:
    sent = {"Authorization": shop.authorization}
    answer = shop.simulator.send("POST", "/es/2.0/order/searchOrder/", SEARCH_REQUEST, sent)
    assert answer.status == 415


@pytest.mark.parametrize(
    "path",
    [
        "/es/2.0/order/noSuchFunction/",
        "/es/2.0/order/searchorder/",
        "/es/2.0/order/",
        "/es/9.9/order/searchOrder/",
        "/",
    ],
)
def test_an_unknown_path_is_404(shop: Shop, path: str) -> None:
    sent = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
    assert shop.simulator.send("POST", path, SEARCH_REQUEST, sent).status == 404


@pytest.mark.parametrize("function", ["searchOrder/", "getOrder", "confirmOrder/", "getSubStatusList"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_order_functions_are_post_alone(shop: Shop, function: str, method: str) -> None:
    sent = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
    assert shop.simulator.send(method, f"/es/2.0/order/{function}", b"", sent).status == 405


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"1", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf" + SEARCH_REQUEST, b"[" * 99_999]
)
def test_a_body_that_is_no_json_object_is_400_at_the_gateway_a_byte_order_mark_included(
    shop: Shop, body: bytes
) -> None:
    answer = shop.post("searchOrder/", body)
    assert answer.status == 400
    assert answer.json()["errors"][0]["code"] in ("GK0001", "GK0005", "GK0006")


def test_the_sixth_call_at_once_is_429_byte_for_byte_and_each_shop_counts_alone(simulator: Simulator) -> None:
    simulator.control("PUT", "/limits", {"requests_per_second": 1, "burst": 5, "shop": "999005"})
    simulator.control("PUT", "/limits", {"requests_per_second": 1, "burst": 5, "shop": "999006"})
    shop, other = (open_shop(simulator, number, is_limited=True) for number in ("999005", "999006"))
    answers = [shop.post("searchOrder/", SEARCH_REQUEST) for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 200, 429]
    assert answers[5].body == TOO_MANY
    assert answers[5].header("Retry-After") == "1"
    assert answers[5].header("Content-Type") == JSON_ANSWER
    assert other.post("searchOrder/", SEARCH_REQUEST).status == 200
    assert shop.post("getOrder/", b'{"orderNumberList":["x"],"version":10}').status == 429
    simulator.control("PUT", "/clock", {"advance_seconds": 1})
    assert shop.post("searchOrder/", SEARCH_REQUEST).status == 200


def test_a_key_lives_through_the_last_second_of_its_ninetieth_day(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_simulator(tmp_path_factory.mktemp("life")) as running:
        set_clock(running, "2026-08-30T12:00:00+09:00")
        shop = open_shop(running, "999001")
        set_clock(running, "2026-11-28T23:59:58+09:00")
        assert shop.post("getSubStatusList/", b"{}").status == 200
        set_clock(running, "2026-11-29T00:00:00+09:00")
        answer = shop.post("getSubStatusList/", b"{}")
        assert (answer.status, answer.body) == (401, UNAUTHORISED)


def test_five_at_once_is_the_default(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_simulator(tmp_path_factory.mktemp("plain")) as plain:
        shop = open_shop(plain, "999001", is_limited=True)
        body = SEARCH_REQUEST
        assert [shop.post("searchOrder/", body).status == 429 for _ in range(6)] == [False] * 5 + [True]


def test_the_older_gateway_speaks_of_results(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_simulator(tmp_path_factory.mktemp("older"), {"gateway": "older"}) as older:
        shop = open_shop(older, "999001")
        wrong = authorization(shop.service_secret, "SL999001_AAAAAAAAAAAAAAAA")
        refused = shop.post("searchOrder/", SEARCH_REQUEST, Authorization=wrong)
        assert (refused.status, refused.body) == (401, OLDER_UNAUTHORISED)


def test_the_charset_rule_can_be_switched_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_simulator(tmp_path_factory.mktemp("charset"), {"require_charset": False}) as lenient:
        set_clock(lenient, NOW)
        shop = open_shop(lenient, "999001")
        assert shop.post("searchOrder/", SEARCH_REQUEST, Content_Type="application/json").status == 200
        assert shop.post("searchOrder/", SEARCH_REQUEST, Content_Type="text/plain").status == 415


def test_a_new_key_kills_the_old_one_and_is_refused_until_it_is_active(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_simulator(tmp_path_factory.mktemp("keys"), {"key_activation_seconds": 900}) as slow:
        set_clock(slow, NOW)
        shop = open_shop(slow, "999001")
        slow.control("PUT", "/clock", {"advance_seconds": 901})
        assert shop.post("searchOrder/", SEARCH_REQUEST).status == 200
        issued = shop.control("POST", "/keys/issue")
        fresh = authorization(issued["service_secret"], issued["license_key"])
        old = shop.post("searchOrder/", SEARCH_REQUEST)
        assert (old.status, old.body) == (401, UNAUTHORISED)
        early = shop.post("searchOrder/", SEARCH_REQUEST, Authorization=fresh)
        assert (early.status, early.body) == (400, NOT_ENABLED)
        slow.control("PUT", "/clock", {"advance_seconds": 901})
        assert shop.post("searchOrder/", SEARCH_REQUEST, Authorization=fresh).status == 200
