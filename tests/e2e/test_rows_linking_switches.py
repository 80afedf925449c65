"""Who issues invoices, which work is done, only observing, and a test mail before the first buyer gets one."""

from typing import Any

import asyncpg
import pytest
from row_shops import ANY_VERSION, MASKED, Row

from hanro_local.demo.api import until
from hanro_local.stack import DATABASE

SECONDS = 60.0
# The National Tax Agency's own number, which its explanation of check digits uses.
ISSUER = {"name": "見本株式会社", "number": "T7000012050002"}
ALL_ON = {"orders": True, "stock": True, "listings": True, "messages": True, "is_observing": False}
CONFIRM = "/es/2.0/order/confirmOrder"


@pytest.mark.row("A17", kind="walks")
async def test_an_issuer_of_invoices_is_named_shown_told_and_taken_back(draft: Row) -> None:
    assert (await draft.seller.account())["issuer"] is None
    assert await draft.ask("PUT", "/issuer", ISSUER, more=ANY_VERSION) == ISSUER
    assert (await draft.seller.account())["issuer"] == ISSUER
    await draft.ask("DELETE", "/issuer")
    assert (await draft.seller.account())["issuer"] is None
    told = [fact["issuer"] for fact in await draft.facts("changed")]
    assert told == [{"registered_name": ISSUER["name"], "number": ISSUER["number"]}, None]
    assert await draft.seller.requests() == []


@pytest.mark.row("A17", kind="refuses")
async def test_a_number_with_a_wrong_check_digit_or_shape_names_nobody(draft: Row) -> None:
    for change, pointer, code in (
        ({"number": "T8000012050002"}, "/number", "check-digit-wrong"),
        ({"number": "T７０００01205000２"}, "/number", "field-full-width"),
        ({"number": f" {ISSUER['number']}"}, "/number", "field-padded"),
        ({"number": ISSUER["number"][1:]}, "/number", "field-malformed"),
        ({"name": "\u3000"}, "/name", "field-missing"),
    ):
        problem = await draft.ask("PUT", "/issuer", ISSUER | change, more=ANY_VERSION, expected=(422,))
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, code)]
        assert " / " in problem["errors"][0]["detail"]
    await draft.ask("PUT", "/issuer", ISSUER, expected=(428,))
    assert (await draft.seller.account())["issuer"] is None
    assert await draft.facts("changed") == []


async def heard(row: Row, schema: str, *, is_observing: bool) -> bool:
    """Tell whether a service has heard of the switch: what it sends follows from that."""
    connection = await asyncpg.connect(row.running.postgres.url(DATABASE), timeout=SECONDS)
    try:
        sql = f"select (switches->>'is_observing')::boolean from {schema}.accounts where id = $1"  # noqa: S608  ours
        found = await connection.fetchval(sql, row.seller.account_id)
    finally:
        await connection.close(timeout=SECONDS)
    return found is is_observing


async def accepted(row: Row, order_id: str, *wanted: str) -> dict[str, Any]:
    """Accept an order, and give the operation once it is in one of these states."""
    operation: dict[str, Any] = (await row.doors.hanro.call("POST", f"/v1/orders/{order_id}:accept")).json()

    async def is_over() -> bool:
        path = f"/v1/order/operations/{operation['id']}"
        operation.update((await row.doors.hanro.call("GET", path)).json())
        return operation["status"] in wanted

    await until(SECONDS, is_over)
    return operation


async def order_of(row: Row, number: str) -> str:
    path = f"/v1/orders?account_id={row.seller.account_id}&external_id={number}"
    return str((await row.doors.hanro.call("GET", path)).json()["items"][0]["id"])


@pytest.mark.row("A21", kind="walks")
async def test_an_account_that_only_observes_reads_all_writes_nothing_and_shows_what_it_would_have(
    working: Row,
) -> None:
    began = await working.seller.place_in_journal()
    observing = await working.ask("PUT", "/switches", ALL_ON | {"is_observing": True}, more=ANY_VERSION)
    assert observing == ALL_ON | {"is_observing": True}
    try:
        await until(SECONDS, lambda: heard(working, "orders", is_observing=True))
        number = await working.seller.sell()
        await until(SECONDS, lambda: working.seller.stored(number))
        order_id = await order_of(working, number)
        seen = await accepted(working, order_id, "observed", "applied")
        assert seen["status"] == "observed"
        assert CONFIRM in str(seen["plan"])
        assert (seen["subject_id"], seen["failure"]) == (order_id, None)
        written = [one["path"] for one in await working.seller.requests(began) if one["has_effect"]]
        assert written == []
    finally:
        await working.ask("PUT", "/switches", ALL_ON, more=ANY_VERSION)
    await until(SECONDS, lambda: heard(working, "orders", is_observing=False))
    assert (await accepted(working, order_id, "applied"))["status"] == "applied"
    written = [one["path"].rstrip("/") for one in await working.seller.requests(began) if one["has_effect"]]
    assert written == [CONFIRM]
    told = [fact["switches"]["is_observing"] for fact in await working.facts("changed")]
    assert told[-2:] == [True, False]
    assert ("switch-work", ["switches.is_observing"]) in await working.deeds()


@pytest.mark.row("A21", kind="refuses")
async def test_switches_that_cannot_be_or_are_of_another_version_change_nothing(working: Row) -> None:
    version = (await working.seller.account())["version"]
    for method, body in (("PATCH", {"orders": None}), ("PATCH", {"order": False}), ("PUT", {"orders": True})):
        problem = await working.ask(method, "/switches", body, more=ANY_VERSION, expected=(422,))
        assert problem["errors"][0]["pointer"]
    stale = {"If-Match": '"v0"'}
    await working.ask("PATCH", "/switches", {"orders": False}, more=stale, expected=(412,))
    await working.ask("PUT", "/switches", ALL_ON, expected=(428,))
    stranger = working.caller("shp_none")
    await stranger.call("PATCH", f"{working.path}/switches", {"orders": False}, expected=(403,))
    shown = await working.seller.account()
    assert (shown["switches"], shown["version"]) == (ALL_ON, version)


async def is_refused_as(row: Row, code: str) -> bool:
    """Tell whether a test mail to somebody else is refused with a code; notifier-svc follows by facts."""
    wish = {"account_id": row.seller.account_id, "to": "someone@example.invalid"}
    refused = await row.doors.hanro.call("POST", "/v1/messages:test", wish, expected=(404, 409))
    return bool(refused.json()["code"] == code)


@pytest.mark.row("A21", kind="refuses")
@pytest.mark.row("A22", kind="refuses")
async def test_mail_that_is_switched_off_is_not_even_tested(working: Row) -> None:
    await until(SECONDS, lambda: is_refused_as(working, "recipient-not-own"))
    before = await mails(working)
    assert (await working.ask("PATCH", "/switches", {"messages": False}))["messages"] is False
    try:
        await until(SECONDS, lambda: is_refused_as(working, "messages-off"))
        wish = {"account_id": working.seller.account_id}
        problem = (await working.doors.hanro.call("POST", "/v1/messages:test", wish, expected=(409,))).json()
        assert (problem["code"], bool(problem["remedy"]["ja"])) == ("messages-off", True)
    finally:
        await working.ask("PATCH", "/switches", {"messages": True})
    await until(SECONDS, lambda: is_refused_as(working, "recipient-not-own"))
    assert await mails(working) == before


async def mails(row: Row) -> list[dict[str, Any]]:
    """Give the mails that came to the shop's own masked address."""
    path = f"/_sim/mails?recipient={MASKED}&limit=1000"
    found: list[dict[str, Any]] = (await row.doors.simulator.call("GET", path)).json()["mails"]
    return found


@pytest.mark.row("A22", kind="walks")
@pytest.mark.row("A22", kind="refuses")
async def test_a_test_mail_arrives_at_the_shop_s_own_masked_address_and_goes_to_no_other(working: Row) -> None:
    hanro, wish = working.doors.hanro, {"account_id": working.seller.account_id}
    sender = f"/v1/notifier/senders/{working.seller.account_id}"

    await until(SECONDS, lambda: is_refused_as(working, "recipient-not-own"))
    for other in ("buyer-0001@pc.fw.rakuten.ne.jp", "someone@example.invalid"):
        problem = (await hanro.call("POST", "/v1/messages:test", wish | {"to": other}, expected=(409,))).json()
        assert (problem["code"], problem["errors"][0]["pointer"]) == ("recipient-not-own", "/to")
    assert await mails(working) == []
    asked = (await hanro.call("POST", "/v1/messages:test", wish, expected=(202,))).json()
    assert (asked["is_test"], asked["order_id"]) == (True, None)

    async def is_proven() -> bool:
        return (await hanro.call("GET", sender)).json()["proven_at"] is not None

    await until(SECONDS, is_proven)
    (letter,) = await mails(working)
    assert letter["envelope_sender"] == working.seller.shop["sender_address"]
    assert letter["envelope_recipients"] == [MASKED]
    assert letter["subject"]
    shown = (await hanro.call("GET", sender)).json()
    assert (shown["last_test"]["id"], shown["last_test"]["state"]) == (asked["id"], "handed_over")
    assert MASKED not in str(shown)
    soon = await hanro.call("POST", "/v1/messages:test", wish, expected=(429,))
    assert (soon.json()["code"], 0 < int(soon.headers["retry-after"]) <= 60) == ("too-many-tests", True)
    assert len(await mails(working)) == 1
