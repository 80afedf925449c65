"""Row O15, a sandbox account: its orders are tests, wherever they are seen, and move nothing real; and its paper."""

from decimal import Decimal

import asyncpg
import pytest
from row_shops import ANY_VERSION
from running_stack import doors
from sandbox_shop import ON_HAND, SandboxShop
from test_rows_orders_documents import note_of, pages

from hanro_local.demo.api import Refused, until
from hanro_local.stack import DATABASE, Stack

SECONDS = 60.0
ISSUER = {"name": "見本商事株式会社", "number": "T7000012050002"}


async def heard(running: Stack, schema: str, order_id: str) -> None:
    """Wait until a service has heard of an order."""
    connection = await asyncpg.connect(running.postgres.url(DATABASE), timeout=SECONDS)
    sql = f'select count(*) from "{schema}".inbox where aggregate_id = $1'  # noqa: S608  our own schemas

    async def has() -> bool:
        return bool(await connection.fetchval(sql, order_id))

    try:
        await until(SECONDS, has)
    finally:
        await connection.close(timeout=SECONDS)


@pytest.mark.row("O15", kind="walks")
@pytest.mark.row("O15", kind="refuses")
async def test_an_order_of_a_sandbox_account_is_a_test_everywhere_and_moves_nothing_real(sandbox: SandboxShop) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        before = await played.stock()
        number = await played.buy({}, {"title": "二つ目"})
        order = await played.order(number, status="new")
        assert order["is_test"] is True
        assert all(line["decide_by"] for line in order["lines"])
        facts = await played.facts(order["id"])
        assert [fact["data"]["is_test"] for fact in facts] == [True] * len(facts)
        assert facts

        for schema in ("catalog", "notifier"):
            await heard(sandbox.running, schema, order["id"])
        assert await played.stock() == before
        assert (before["on_hand"], before["available"]) == (ON_HAND, ON_HAND)
        listed = (await opened.hanro.call("GET", f"/v1/messages?account_id={sandbox.account_id}")).json()["items"]
        assert [one["state"] for one in listed if one["order_id"] == order["id"] and one["state"] != "suppressed"] == []
        journal = await played.sandbox.call("GET", "/_sim/journal?kind=request&path=/v1/messages/&limit=10000")
        assert [one for one in journal.json()["entries"] if one["has_effect"]] == []

        assert (await played.over(f"/v1/orders/{order['id']}:accept"))["status"] == "applied"
        await played.order(number, status="ready")
        there = await played.there("GET", f"/orders/{number}")
        assert [line["answer"] for line in there["lines"]] == ["accept", "accept"]


@pytest.mark.row("JP5", kind="refuses")
@pytest.mark.row("JP5", kind="walks")
@pytest.mark.row("O13", kind="walks")
async def test_a_note_is_a_qualified_invoice_where_an_issuer_is_named_and_no_rule_is_against_it(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        hanro, played = opened.hanro, sandbox.at(opened)
        order = await played.order(await played.buy({}, {"title": "二つ目"}), status="new")
        invoice = f"{note_of(order)}?with_invoice_wording=true"
        nameless = (await hanro.call("GET", invoice, expected=(409,))).json()
        assert nameless["code"] == "issuer-missing"
        await hanro.call("PUT", f"/v1/accounts/{sandbox.account_id}/issuer", ISSUER, more=ANY_VERSION)
        printed: list[str] = []

        async def is_printed() -> bool:
            try:
                printed[:] = pages((await hanro.call("GET", invoice)).content)
            except Refused:
                return False
            return True

        await until(SECONDS, is_printed)
        (plain,) = pages((await hanro.call("GET", note_of(order))).content)
    (page,) = printed
    for said in ("納品書兼適格請求書", f"登録番号{ISSUER['number']}", ISSUER["name"]):
        assert said in page
    for due in order["stated"]["taxes"]:
        rate, gross, tax = Decimal(due["rate"]), due["gross"]["money"], due["tax"]["money"]
        assert f"{rate:.0%}対象¥{int(gross['amount']):,}¥{int(tax['amount']):,}" in page
    assert f"事業者番号{ISSUER['number']}" in plain
    assert "適格" not in plain
