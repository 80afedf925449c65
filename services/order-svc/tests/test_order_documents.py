"""Proves who gets which documents of orders, over ASGI on a real Postgres, and that they go with the buyer."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pypdf
import pytest
from note_subjects import ISSUER, REDUCED, bought, sent_to, text_of, texts, whole_order
from order_edge import parts_for, serve
from order_playground import Playground, activated, count, means_for, prepare, tell
from order_sightings import NAME, NOON, seen, unreadable

from hanro.errors import LocalizedText
from hanro.marketplace.types import (
    Comparison,
    Condition,
    OrderStatus,
    PolicyFact,
    PolicyPack,
    PolicySubject,
    Rule,
    Sighting,
    Verdict,
)
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers, documents
from order_svc.api import documents as documents_api
from order_svc.documents import Policies, Press
from order_svc.poller import Poller
from order_svc.printer import Printer
from order_svc.store import accounts as accounts_store

pytestmark = pytest.mark.schema("orders", prepare)

PERSONAL = bearer("orders:personal")
ELSEWHERE = bearer("orders:personal", shops=("shp_9",))
RULE = Rule(
    id="playground.document.invoice",
    subject=PolicySubject.DOCUMENT,
    verdict=Verdict.REFUSE,
    when=(Condition(fact=PolicyFact.DOCUMENT, comparison=Comparison.IS, value="qualified_invoice"),),
    message=LocalizedText(ja="ここでは発行できません。", en="It is not to be had here."),
    source="invented",
    since=date(2026, 1, 1),
)
FORBIDDEN = Policies(packs={"playground": PolicyPack(version="1", rules=(RULE,))})
FREE = Policies(packs={"playground": PolicyPack(version="1", rules=())})


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
def policies(request: pytest.FixtureRequest) -> Policies:
    found: Policies = getattr(request, "param", FREE)
    return found


@pytest.fixture
async def client(parts: Parts, policies: Policies) -> AsyncIterator[httpx.AsyncClient]:
    routes = documents_api.make_routes(parts.db, parts.keyring, parts.idempotency, Press(), policies)
    async with serve(parts, routes) as made:
        made.headers.update(PERSONAL)
        yield made


@pytest.fixture
def printer(parts: Parts, policies: Policies) -> Printer:
    return Printer(db=parts.db, keyring=parts.keyring, press=Press(), policies=policies, clock=parts.clock)


async def found(parts: Parts, *sightings: Sighting) -> dict[str, str]:
    """Find orders, of an account that names its issuer, and give their ids by number."""
    await tell(parts.db, activated(issuer=ISSUER))
    playground = Playground()
    playground.buy(*sightings)
    await Poller(means_for(parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())
    async with parts.db.begin() as tx:
        rows = await tx.fetch("select id, external_id from orders")
    return {row["external_id"]: row["id"] for row in rows}


async def ask(client: httpx.AsyncClient, *order_ids: str, **said: Any) -> httpx.Response:
    body = {"order_ids": list(order_ids), "kind": "delivery_note", **said}
    return await client.post("/v1/order/documents", json=body)


def note_of(order_id: str) -> str:
    return f"/v1/orders/{order_id}/documents/delivery-note.pdf"


async def test_what_a_fact_says_of_the_issuer_is_kept_and_taken_back(parts: Parts) -> None:
    kept = []
    for version, issuer in ((1, ISSUER), (2, None)):
        await tell(parts.db, activated(version, issuer=issuer))
        async with parts.db.begin() as tx:
            account = await accounts_store.find_account(tx, "acc_1")
            assert account is not None
            kept.append(account.issuer)
    assert kept == [ISSUER, None]


@pytest.mark.row("O13", kind="walks")
async def test_the_note_of_an_order_is_a_pdf_with_its_issuer(client: httpx.AsyncClient, parts: Parts) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    answer = await client.get(note_of(order_id))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"].endswith('"delivery-note-100001-20260301-0000000001.pdf"')
    (page,) = texts(answer.content)
    assert "見本商事株式会社" in page
    assert "T7000012050002" in page
    assert "見本 花子 様" in page


@pytest.mark.row("O13", kind="refuses")
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [(bearer("orders:read", "orders:write"), 403, "scope-missing"), (ELSEWHERE, 404, "not-found")],
)
async def test_a_note_is_for_those_alone_who_may_see_the_buyer(
    client: httpx.AsyncClient, parts: Parts, headers: dict[str, str], status: int, code: str
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    one = await client.get(note_of(order_id), headers=headers)
    many = await client.post(
        "/v1/order/documents", json={"order_ids": [order_id], "kind": "delivery_note"}, headers=headers
    )
    assert [(answer.status_code, answer.json()["code"]) for answer in (one, many)] == [(status, code)] * 2


@pytest.mark.row("O13", kind="refuses")
@pytest.mark.parametrize(
    ("sighting", "code"),
    [
        (seen(status=OrderStatus.CANCELLED), "order-cancelled"),
        (unreadable(), "order-quarantined"),
        (seen(has_buyer=False, lacks=frozenset()), None),
    ],
)
async def test_what_cannot_be_delivered_is_refused_by_name_with_what_to_do(
    client: httpx.AsyncClient, parts: Parts, sighting: Sighting, code: str | None
) -> None:
    (order_id,) = (await found(parts, sighting)).values()
    if code is None:
        code = "buyer-erased"
        async with parts.db.begin() as tx:
            await buyers.erase(tx, order_id, account_ids=None, by="tester")
    answer = await client.get(note_of(order_id))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, code)
    assert problem["remedy"]["ja"]


@pytest.mark.parametrize("policies", [FORBIDDEN], indirect=True)
@pytest.mark.row("JP5", kind="refuses")
async def test_the_policy_refuses_invoice_wording_by_its_rule_and_the_note_stays(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    refused = await client.get(note_of(order_id), params={"with_invoice_wording": "true"})
    many = await ask(client, order_id, with_invoice_wording=True)
    for answer in (refused, many):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "policy-refused")
        assert problem["rule"] == {"id": "playground.document.invoice", "source": "invented"}
        assert "with_invoice_wording" in problem["remedy"]["en"]
    assert many.json()["errors"][0]["pointer"] == "/order_ids/0"
    assert (await client.get(note_of(order_id))).status_code == 200
    assert (await ask(client, order_id)).status_code == 202


@pytest.mark.parametrize(
    "policies", [FREE, Policies(packs=FORBIDDEN.packs, off=frozenset({RULE.id}))], indirect=True, ids=["no rule", "off"]
)
@pytest.mark.row("JP5", kind="walks")
async def test_where_no_rule_stands_against_it_the_note_is_a_qualified_invoice(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    answer = await client.get(note_of(order_id), params={"with_invoice_wording": "true"})
    assert answer.status_code == 200
    (page,) = texts(answer.content)
    assert "適格請求書" in page
    assert "登録番号 T7000012050002" in page


@pytest.mark.row("O13", kind="walks")
async def test_many_orders_are_one_file_in_the_order_of_asking_and_the_others_are_named(
    client: httpx.AsyncClient, parts: Parts, printer: Printer
) -> None:
    ids = await found(
        parts,
        *(whole_order(external_id=f"n-{number}") for number in range(3)),
        seen("n-cancelled", status=OrderStatus.CANCELLED),
    )
    asked = await ask(client, ids["n-2"], ids["n-cancelled"], ids["n-0"], ids["n-2"], ids["n-1"])
    address = asked.headers["location"]
    assert (asked.status_code, asked.json()["status"], asked.json()["order_count"]) == (202, "waiting", 4)
    early = await client.get(f"{address}/file.pdf")
    assert (early.status_code, early.json()["code"]) == (409, "not-ready")
    assert await printer.print_next(asyncio.Event())
    shown = (await client.get(address)).json()
    assert (shown["status"], shown["printed_count"], shown["href"]) == ("ready", 3, f"{address}/file.pdf")
    assert [(one["external_id"], one["code"]) for one in shown["left_out"]] == [("n-cancelled", "order-cancelled")]
    pages = texts((await client.get(shown["href"])).content)
    assert [page.rpartition("n-")[2][0] for page in pages] == ["2", "0", "1"]
    assert not await printer.print_next(asyncio.Event())


async def test_a_file_of_many_portions_holds_all_of_them(
    client: httpx.AsyncClient, parts: Parts, printer: Printer
) -> None:
    ids = await found(parts, *(whole_order(external_id=f"n-{number:03}") for number in range(120)))
    address = (await ask(client, *(ids[number] for number in sorted(ids)))).headers["location"]
    await printer.print_next(asyncio.Event())
    file = (await client.get(f"{address}/file.pdf")).content
    numbers = [page.extract_text().rpartition("n-")[2][:3] for page in pypdf.PdfReader(io.BytesIO(file)).pages]
    assert numbers == [f"{number:03}" for number in range(120)]


@pytest.mark.row("O13", kind="refuses")
async def test_an_order_that_is_not_there_is_pointed_at(client: httpx.AsyncClient, parts: Parts) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    answer = await ask(client, order_id, "ord_none")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/order_ids/1")
    assert await count(parts.db, "documents") == 0


async def test_a_document_of_nothing_but_cancelled_orders_is_refused(
    client: httpx.AsyncClient, parts: Parts, printer: Printer
) -> None:
    (order_id,) = (await found(parts, seen(status=OrderStatus.CANCELLED))).values()
    address = (await ask(client, order_id)).headers["location"]
    await printer.print_next(asyncio.Event())
    shown = (await client.get(address)).json()
    assert (shown["status"], shown["failure"]["code"], shown["href"]) == ("refused", "order-cancelled", None)
    assert (await client.get(f"{address}/file.pdf")).json()["code"] == "order-cancelled"


async def test_another_shops_caller_sees_no_document(client: httpx.AsyncClient, parts: Parts) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    address = (await ask(client, order_id)).headers["location"]
    for path in (address, f"{address}/file.pdf"):
        assert (await client.get(path, headers=ELSEWHERE)).status_code == 404


async def test_a_file_is_stored_sealed(client: httpx.AsyncClient, parts: Parts, printer: Printer) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    await ask(client, order_id)
    await printer.print_next(asyncio.Event())
    async with parts.db.begin() as tx:
        (row,) = await tx.fetch("select sealed from document_files")
    assert b"%PDF" not in row["sealed"]


async def test_a_document_goes_with_a_buyer_that_it_shows(
    client: httpx.AsyncClient, parts: Parts, printer: Printer
) -> None:
    ids = await found(parts, whole_order(external_id="n-0"), whole_order(external_id="n-1"))
    both, other = [(await ask(client, *asked)).headers["location"] for asked in (ids.values(), [ids["n-1"]])]
    while await printer.print_next(asyncio.Event()):
        pass
    async with parts.db.begin() as tx:
        await buyers.erase(tx, ids["n-0"], account_ids=None, by="tester")
    assert (await client.get(f"{both}/file.pdf")).status_code == 404
    assert (await client.get(f"{other}/file.pdf")).status_code == 200
    assert await count(parts.db, "document_files") == 1


class Meanwhile(Press):
    """Be a press during whose work something happens."""

    happens: Callable[[], Any]

    async def bind(self, files: Any) -> bytes:
        """Let it happen, then bind."""
        await self.happens()
        return await super().bind(files)


async def test_a_buyer_who_is_erased_while_the_file_is_printed_is_not_in_it(
    client: httpx.AsyncClient, parts: Parts, policies: Policies
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    address = (await ask(client, order_id)).headers["location"]
    press = Meanwhile()

    async def erase() -> None:
        async with parts.db.begin() as tx:
            await buyers.erase(tx, order_id, account_ids=None, by="tester")

    press.happens = erase
    await Printer(db=parts.db, keyring=parts.keyring, press=press, policies=policies, clock=parts.clock).print_next(
        asyncio.Event()
    )
    assert (await client.get(address)).status_code == 404
    assert await count(parts.db, "document_files") == 0


async def test_a_printer_that_was_overtaken_stores_nothing(
    client: httpx.AsyncClient, parts: Parts, policies: Policies, printer: Printer
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    await ask(client, order_id)
    press = Meanwhile()

    async def overtake() -> None:
        async with parts.db.begin() as tx:
            await tx.execute("update documents set lease_until = null")
        assert await printer.print_next(asyncio.Event())

    press.happens = overtake
    slow = Printer(db=parts.db, keyring=parts.keyring, press=press, policies=policies, clock=parts.clock)
    await slow.print_next(asyncio.Event())
    assert await count(parts.db, "document_files") == 1
    async with parts.db.begin() as tx:
        assert (await tx.fetch("select attempt_count from documents"))[0]["attempt_count"] == 2


async def test_a_document_that_ends_its_printers_is_given_up(client: httpx.AsyncClient, parts: Parts) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    address = (await ask(client, order_id)).headers["location"]
    for _ in range(3):
        assert await documents.claim(parts.db) is not None
        async with parts.db.begin() as tx:
            await tx.execute("update documents set lease_until = null")
    assert await documents.claim(parts.db) is None
    assert (await client.get(address)).json()["failure"]["code"] == "printing-failed"


async def test_a_printer_that_stops_leaves_its_document_to_others(
    client: httpx.AsyncClient, parts: Parts, printer: Printer
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    await ask(client, order_id)
    stop = asyncio.Event()
    stop.set()
    await printer.print_next(stop)
    assert await documents.claim(parts.db) is not None


async def test_a_document_is_kept_for_a_week(client: httpx.AsyncClient, parts: Parts) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    young, old = [(await ask(client, order_id)).headers["location"] for _ in range(2)]
    async with parts.db.begin() as tx:
        await tx.execute(
            "update documents set created_at = created_at - $1::interval where id = $2",
            timedelta(days=7, minutes=1),
            old.rpartition("/")[2],
        )
    async with parts.db.begin() as tx:
        assert [await documents.forget_old(tx), await documents.forget_old(tx)] == [1, 0]
    assert [(await client.get(one)).status_code for one in (young, old)] == [200, 404]


async def test_nothing_of_a_buyer_is_logged_or_told_when_printing_fails(
    client: httpx.AsyncClient, parts: Parts, policies: Policies, caplog: pytest.LogCaptureFixture
) -> None:
    (order_id,) = (await found(parts, whole_order())).values()
    address = (await ask(client, order_id)).headers["location"]
    press = Press(largest_file=10)
    await Printer(db=parts.db, keyring=parts.keyring, press=press, policies=policies, clock=parts.clock).print_next(
        asyncio.Event()
    )
    shown = await client.get(address)
    assert shown.json()["failure"]["code"] == "document-too-large"
    assert NAME not in shown.text + caplog.text


async def test_totals_of_each_rate_equal_the_orders_own(client: httpx.AsyncClient, parts: Parts) -> None:
    lines = tuple(bought(str(n), f"見本 {n}", rate=REDUCED) for n in range(40))
    (order_id,) = (await found(parts, whole_order(lines=lines, packages=(sent_to(),)))).values()
    text = text_of((await client.get(note_of(order_id))).content)
    assert "8%対象¥2,160¥160" in text
    assert "10%対象¥3,790¥344" in text
    assert text.count("goods-") == 40
