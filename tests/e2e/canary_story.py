"""Sends canaries through everything: buyers, credentials, wrong requests, a poisoned topic, and answers that fail."""

import json
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from canary_search import Place
from running_stack import Doors, Linked

from hanro_local.demo.api import until
from hanro_local.stack import DATABASE, Stack

SECONDS = 45.0
BUYER = {
    "kanji": "金糸雀",
    "kana": "カナリヤ",
    "latin": "kanariya",
    "phone": "080-5937-1846",
    "phone in one": "08059371846",
    "phone without its head": "5937-1846",
}
WRONG_KEY = "machigai-no-kagi"
REQUEST = "himitsu-no-negai"
POISON = "dokuiri-no-shirase"
UNREADABLE, REFUSED, PLAIN = "yomenai", "kotowari", "futsuu"
OPS = ("ops",)


@dataclass
class Story:
    """Be what happened: order numbers by what they are, hanro's ids of them, and every problem that was answered."""

    numbers: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    problems: list[Place] = field(default_factory=list)


async def tell(running: Stack, doors: Doors, linked: Linked) -> Story:
    """Let all of it happen, and wait until each part has come to its end.

    Raises:
        AssertionError: a part did not; it says how far each came.
    """
    story = Story()
    await _link_with_wrong_keys(doors)
    await _spoil_answers(doors)
    await _place(doors, linked, story)
    await _ask_wrongly(running, doors, linked, story)
    await _poison(running)
    await _wait(running, doors, story)
    return story


def order(kind: str) -> dict[str, Any]:
    """Wish for an order with a canary in every member that speaks of a person."""
    person = {
        "prefecture": "東京都",
        "city": f"{BUYER['kanji']}市",
        "subAddress": f"{BUYER['kanji']}町1-2-3 {BUYER['latin']}荘",
        "familyName": BUYER["kanji"],
        "firstName": f"{BUYER['kanji']}子",
        "familyNameKana": BUYER["kana"],
        "firstNameKana": f"{BUYER['kana']}コ",
        **{f"phoneNumber{place}": part for place, part in enumerate(BUYER["phone"].split("-"), start=1)},
    }
    raw: dict[str, Any] = {
        "OrdererModel": person | {"emailAddress": mail(kind)},
        "remarks": f"{BUYER['kanji']}が受け取ります。電話 {BUYER['phone']}",
        "memo": f"{BUYER['latin']} {BUYER['kanji']}",
        "SettlementModel": {"cardOwner": BUYER["latin"].upper()},
    }
    raw |= {f"/PackageModelList/0/SenderModel/{name}": value for name, value in person.items()}
    if kind == UNREADABLE:
        raw["orderDatetime"] = f"{BUYER['kanji']} {BUYER['latin']}"
        raw["orderProgress"] = BUYER["phone"]
    return {"is_plain": True, "raw": raw}


def mail(kind: str) -> str:
    """Give the buyer's masked address."""
    return f"{BUYER['latin']}-{kind}@pc.fw.rakuten.ne.jp"


async def _link_with_wrong_keys(doors: Doors) -> None:
    shop = (await doors.hanro.call("POST", "/v1/shops", {"display_name": "誤り店"})).json()
    wish = {"marketplace_id": "rakuten_ichiba", "display_name": "誤り店", "shop_ids": [shop["id"]]}
    account = (await doors.hanro.call("POST", "/v1/accounts", wish)).json()["id"]
    values = {
        "service_secret": f"SP000000_{WRONG_KEY}",
        "license_key": f"SL000000_{WRONG_KEY}",
        "smtp_id": "999990",
        "smtp_password": WRONG_KEY,
        "sender_address": "shop999990@example.invalid",
    }
    await doors.hanro.call("PUT", f"/v1/accounts/{account}/credentials", {"values": values})

    async def is_refused() -> bool:
        found = (await doors.hanro.call("GET", f"/v1/accounts/{account}/preflights")).json()["items"]
        return any(row["state"] == "denied" for run in found for row in run["rows"])

    await until(SECONDS, is_refused)


async def _spoil_answers(doors: Doors) -> None:
    said = f"{BUYER['kanji']} {BUYER['latin']} {BUYER['phone']}"
    get_order = {"path": "/es/2.0/order/getOrder"}
    for fault in (
        {"kind": "html", "match": get_order, "count": 1, "body": f"<html><title>{said}</title></html>"},
        {"kind": "status", "status": 500, "match": get_order, "count": 1, "body": json.dumps({"message": said})},
        {
            "kind": "mail-answer",
            "stage": "rcpt",
            "status": 550,
            # notifier-svc keeps a relay's words without addresses; a name or a bare local part in them would stay.
            "body": f"5.1.1 <{mail(REFUSED)}> no such user",
            "match": {"recipient": mail(REFUSED)},
        },
    ):
        await doors.simulator.call("POST", "/_sim/faults", fault)


async def _place(doors: Doors, linked: Linked, story: Story) -> None:
    for kind in (PLAIN, REFUSED, UNREADABLE):
        placed = await doors.simulator.call("POST", f"/_sim/shops/{linked.shop.number}/orders", order(kind))
        story.numbers[kind] = placed.json()["external_id"]


async def _ask_wrongly(running: Stack, doors: Doors, linked: Linked, story: Story) -> None:
    account = linked.account.account_id
    for method, path, body in (
        ("POST", "/v1/shops", {"display_name": REQUEST, "more": REQUEST}),
        ("POST", "/v1/shops", {"display_name": {REQUEST: [REQUEST]}}),
        ("POST", "/v1/accounts", {"marketplace_id": REQUEST, "display_name": REQUEST, "shop_ids": [REQUEST]}),
        (
            "PUT",
            f"/v1/accounts/{account}/credentials",
            {"values": {"service_secret": f"{REQUEST}全角", "more": REQUEST}},
        ),
        ("PUT", f"/v1/accounts/{account}/credentials", {"values": REQUEST}),
        ("PATCH", f"/v1/accounts/{account}", {"display_name": [REQUEST]}),
        ("PUT", "/v1/stock/TEA-50", {"on_hand": REQUEST}),
        ("PUT", "/v1/products/LEAKY", {"title": f"{REQUEST}\u0000", "variants": [{"sku": "LEAKY", "title": REQUEST}]}),
        ("POST", "/v1/listings:adopt", {"account_id": account, "items": REQUEST}),
        ("PUT", "/v1/templates/leaky", {"subject": "見本", "body": f"{REQUEST} {{% bad %}}"}),
        ("PUT", f"/v1/bindings/{account}/{'new_order'}", {"template": {REQUEST: REQUEST}}),
        ("GET", f"/v1/orders?cursor={REQUEST}", None),
        ("GET", f"/v1/orders?limit={REQUEST}", None),
        ("POST", "/v1/messages/msg_none:resolve", {"decision": REQUEST}),
    ):
        await _ask(doors, story, method, path, content=json.dumps(body).encode())
    for content in (f'{{"display_name": "{REQUEST}'.encode(), REQUEST.encode() * 200_000, b"\xff" + REQUEST.encode()):
        await _ask(doors, story, "POST", "/v1/shops", content=content)
    await _ask(doors, story, "GET", "/v1/orders", token=REQUEST)
    await _ask_with_tables_that_refuse(running, doors, story)


async def _ask_with_tables_that_refuse(running: Stack, doors: Doors, story: Story) -> None:
    """Let the database refuse rows: its error text quotes all their values, and the answer is a 500."""
    database = await asyncpg.connect(running.postgres.url(DATABASE), timeout=SECONDS)
    tables = ("catalog.products", "account.shops", "notifier.templates")
    try:
        for table in tables:
            await database.execute(f"alter table {table} add constraint leaky check (false) not valid")
        product = {"title": REQUEST, "variants": [{"sku": "LEAKY", "title": REQUEST}]}
        template = {"subject": REQUEST, "body": REQUEST}
        for method, path, body in (
            ("PUT", "/v1/products/LEAKY", product),
            ("POST", "/v1/shops", {"display_name": REQUEST}),
            ("PUT", "/v1/templates/leaky", template),
        ):
            status = await _ask(doors, story, method, path, content=json.dumps(body).encode())
            assert status == 500, f"{method} {path}: {status}"
    finally:
        for table in tables:
            await database.execute(f"alter table {table} drop constraint if exists leaky")
        await database.close(timeout=SECONDS)


async def _ask(
    doors: Doors, story: Story, method: str, path: str, *, content: bytes = b"", token: str | None = None
) -> int:
    headers = {
        "authorization": f"Bearer {token or doors.hanro.token}",
        "content-type": "application/json",
        **({"if-match": "*"} if method == "PATCH" else {}),
        "user-agent": REQUEST,
        "idempotency-key": f"{len(story.problems)}-{method}",
    }
    answer = await doors.hanro.client.request(
        method, doors.hanro.base + path, content=content, headers=headers, timeout=SECONDS
    )
    assert answer.status_code >= 400, f"{method} {path}: {answer.status_code}"
    place = f"problem {method} {path.partition('?')[0]} {answer.status_code}"
    story.problems.append((place, repr(answer.headers).encode() + b"\n" + answer.content))
    return answer.status_code


async def _poison(running: Stack) -> None:
    """Put a fact of a known type on its topic that holds nothing of what the type must hold."""
    producer = AIOKafkaProducer(bootstrap_servers=running.kafka)
    await producer.start()
    try:
        headers = {"ce_id": "poison", "ce_type": "hanro.order.placed.v1", "ce_specversion": "1.0", "ce_source": "/x"}
        await producer.send_and_wait(
            "hanro.orders",
            json.dumps({"id": {POISON: POISON}, "version": POISON, "status": POISON}).encode(),
            key=b"ord_poison",
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
    finally:
        await producer.stop()


async def _wait(running: Stack, doors: Doors, story: Story) -> None:
    database = await asyncpg.connect(running.postgres.url(DATABASE), timeout=SECONDS)
    seen: dict[str, object] = {}

    async def is_over() -> bool:
        for kind, number in story.numbers.items():
            if found := await database.fetchval("select id from orders.orders where external_id = $1", number):
                story.ids[kind] = found
        seen["stored"] = sorted(story.ids)
        for schema in ("catalog", "notifier"):
            seen[f"dead letters of {schema}"] = await database.fetchval(f"select count(*) from {schema}.dead_letters")  # noqa: S608  ours
        seen["mails"] = await _mail_states(doors, story)
        return seen == {
            "stored": sorted((PLAIN, REFUSED, UNREADABLE)),
            "dead letters of catalog": 1,
            "dead letters of notifier": 1,
            "mails": ["handed_over", "refused"],
        }

    try:
        await until(SECONDS, is_over)
    except TimeoutError:
        raise AssertionError(f"after {SECONDS:.0f} s: {seen}") from None
    finally:
        await database.close(timeout=SECONDS)


async def _mail_states(doors: Doors, story: Story) -> list[str]:
    states = []
    for kind in (PLAIN, REFUSED):
        if kind not in story.ids:
            continue
        found = await doors.hanro.call("GET", f"/v1/messages?order_id={story.ids[kind]}")
        states += [message["state"] for message in found.json()["items"]]
    return states
