"""What the gateway refuses tells who must act, in each of its shapes."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from ichiba_samples import NOT_ENABLED, OLDER_UNAUTHORISED, TOO_MANY, UNAUTHORISED
from ichiba_session import answered

from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Retryable
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import HttpAnswer
from hanro_rakuten_ichiba.functions import GET_ORDER
from hanro_rakuten_ichiba.refusals import judge, unreadable, without_secrets

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
KEY = "SL999001_canary0000000000"


def judged(
    answer: HttpAnswer, *, has_effect: bool = False, key_age: timedelta = timedelta(days=1), expires_on: str = ""
) -> Failure | None:
    secrets = Secrets(values={"license_key": KEY, "license_expires_on": expires_on}, version=3, stored_at=NOW - key_age)
    return judge(answer, GET_ORDER, secrets, NOW, has_effect=has_effect)


@pytest.mark.parametrize("body", [UNAUTHORISED, OLDER_UNAUTHORISED, b"", b"<html>", b'{"errors":[]}', b"[1]"])
def test_a_401_needs_the_seller_whatever_its_body(body: bytes) -> None:
    failure = judged(answered(body, 401))
    assert isinstance(failure, NeedsSeller)
    assert (failure.code, failure.grant_id, failure.field) == (
        "credential-refused",
        "rpay.order.getOrder",
        "license_key",
    )
    assert failure.remedy is not None
    assert failure.menu is not None


@pytest.mark.parametrize("code", ["GK0001", "GK0005", "GK0006", "GA0001"])
def test_a_malformed_key_needs_the_seller(code: str) -> None:
    failure = judged(answered(b'{"errors":[{"code":"%s","message":"x"}]}' % code.encode(), 400))
    assert isinstance(failure, NeedsSeller)
    assert failure.code == "credential-refused"


def test_a_key_whose_end_is_known_to_be_past_has_expired() -> None:
    typed = judged(answered(UNAUTHORISED, 401), expires_on="2026-05-31")
    old = judged(answered(UNAUTHORISED, 401), key_age=timedelta(days=91))
    today = judged(answered(UNAUTHORISED, 401), expires_on="2026-06-01")
    assert [failure.code for failure in (typed, old, today) if failure is not None] == [
        "credential-expired",
        "credential-expired",
        "credential-refused",
    ]


def test_a_function_that_is_off_names_its_grant_and_how_to_switch_it_on() -> None:
    failure = judged(answered(NOT_ENABLED, 400, {"RequestId": "r-1"}))
    assert isinstance(failure, NeedsSeller)
    assert (failure.code, failure.grant_id) == ("grant-missing", "rpay.order.getOrder")
    assert failure.menu is not None
    assert failure.menu.steps[-1] == "利用機能編集"
    assert failure.refusal is not None
    assert (failure.refusal.code, failure.refusal.message) == ("ES04-01", "Bad Request")
    assert (failure.refusal.http_status, failure.refusal.request_id) == (400, "r-1")


def test_the_same_words_mean_a_settling_key_while_it_is_young() -> None:
    failure = judged(answered(NOT_ENABLED, 400), key_age=timedelta(minutes=20))
    assert isinstance(failure, Retryable)
    assert (failure.code, failure.after) == ("key-settling", timedelta(minutes=10))
    assert isinstance(judged(answered(NOT_ENABLED, 400), key_age=timedelta(minutes=31)), NeedsSeller)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"Retry-After": "2"}, timedelta(seconds=2)),
        ({"retry-after": "Mon, 01 Jun 2026 03:00:30 GMT"}, timedelta(seconds=30)),
        ({"Retry-After": "Mon, 01 Jun 2020 03:00:30 GMT"}, timedelta()),
        ({"Retry-After": "Mon, 01 Jun 2099 03:00:30 GMT"}, timedelta(days=1)),
        ({"Retry-After": "9" * 30}, timedelta(days=1)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_too_many_calls_wait_as_long_as_they_say(headers: dict[str, str], after: timedelta | None) -> None:
    failure = judged(answered(TOO_MANY, 429, headers), has_effect=True)
    assert isinstance(failure, Retryable)
    assert (failure.code, failure.after) == ("throttled", after)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_is_retryable_for_a_read_and_in_doubt_for_a_write(status: int) -> None:
    page = answered(b"<html>maintenance</html>", status, {"Content-Type": "text/html"})
    read, write = judged(page), judged(page, has_effect=True)
    assert isinstance(read, Retryable)
    assert read.code == "unavailable"
    assert isinstance(write, InDoubt)
    assert write.code == "answer-unreadable"


@pytest.mark.parametrize("status", [302, 403, 404, 405, 415])
def test_what_is_not_documented_breaks_the_contract(status: int) -> None:
    failure = judged(answered(b'{"Results":{"errorCode":"ES04-03","message":"Unsupported Media Type"}}', status))
    assert isinstance(failure, ContractBroken)
    assert failure.refusal is not None
    assert failure.refusal.code == "ES04-03"


def test_what_a_function_itself_refuses_is_not_the_gateways() -> None:
    assert judged(answered(b'{"MessageModelList":[]}', 400)) is None
    assert judged(answered(b"{}", 200)) is None


def test_a_secret_that_they_repeat_is_taken_out() -> None:
    body = f'{{"errors":[{{"code":"GA0001","message":"bad key {KEY}"}}]}}'.encode()
    failure = judged(answered(body, 401))
    assert failure is not None
    assert failure.refusal is not None
    assert failure.refusal.message == "bad key …"
    assert KEY not in repr(failure)


@pytest.mark.parametrize(
    "shown", ["SP9/+a", "SP9%2F%2Ba", base64.b64encode(f"SP9/+a:{KEY}".encode()).decode(), f"SP9/+a:{KEY}"]
)
def test_secrets_are_taken_out_in_every_form_in_which_they_were_sent(shown: str) -> None:
    secrets = Secrets(values={"service_secret": "SP9/+a", "license_key": KEY}, version=1, stored_at=NOW)
    assert "SP9" not in without_secrets(f"ESA {shown} is wrong", secrets)
    assert without_secrets(f"ESA {shown} is wrong", secrets).replace(":", "").replace("……", "…") == "ESA … is wrong"


def test_a_page_is_an_outage_and_other_garbage_breaks_the_contract() -> None:
    page = answered(b"<html></html>", 200, {"Content-Type": "text/html"})
    assert isinstance(unreadable(page, GET_ORDER, has_effect=False), Retryable)
    assert isinstance(unreadable(answered(b"  <!doctype html>"), GET_ORDER, has_effect=False), Retryable)
    assert isinstance(unreadable(answered(b"garbage"), GET_ORDER, has_effect=False), ContractBroken)
    assert isinstance(unreadable(page, GET_ORDER, has_effect=True), InDoubt)
