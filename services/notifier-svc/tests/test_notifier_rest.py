"""Templates, bindings and messages over HTTP on a real Postgres: versions guard, decisions have names."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from notifier_playground import ACCOUNT, account, order, prepare, recorded, take

from hanro.service import Parts, make_apps, open_parts
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro_local.databases import SchemaUrls
from notifier_svc.app import SERVICE
from notifier_svc.settings import NotifierSettings

pytestmark = pytest.mark.schema("notifier", prepare)

SCOPES = tuple(f"{noun}:{verb}" for noun in ("templates", "bindings", "messages") for verb in ("read", "write"))
THANKS = {"subject": "ご注文 {{ order.external_id }}", "body": "{{ buyer.name }} 様\n"}
NEW_ORDER = f"/v1/bindings/{ACCOUNT}/new_order"


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = open_parts(SERVICE, settings(urls.runtime), keyring=fixed_keyring())
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    built = SERVICE.build(parts, settings("postgresql://nowhere/nothing"))
    apps = make_apps(SERVICE, parts, built, authenticator=SpokenCallers(), missing=lambda: None)
    await take(parts.db, account())
    transport = httpx.ASGITransport(apps.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier", headers=bearer(*SCOPES)) as made:
        yield made
    for close in built.closers:
        await close()


def settings(database_url: str) -> NotifierSettings:
    return NotifierSettings(
        database_url=database_url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/nonexistent")
    )


async def in_doubt(parts: Parts) -> str:
    """Plan a message and put it in doubt, as a sender does that died."""
    now = datetime.now(UTC)
    await take(parts.db, order(1, milestones={"placed": now, "confirmed": now}))
    async with parts.db.begin() as tx:
        await tx.execute(
            "update messages set state = 'in_doubt', reason_code = 'answer-lost', next_at = null, version = 1"
        )
        return str((await tx.fetch("select id from messages"))[0]["id"])


async def test_a_template_put_twice_is_the_same_and_a_change_needs_its_version(client: httpx.AsyncClient) -> None:
    made = await client.put("/v1/templates/thanks", json=THANKS)
    again = await client.put("/v1/templates/thanks", json=THANKS)
    assert (made.status_code, again.status_code, again.headers["etag"]) == (201, 200, made.headers["etag"])
    changed = {**THANKS, "body": "ありがとうございます\n"}
    assert (await client.put("/v1/templates/thanks", json=changed)).status_code == 428
    stale = await client.put("/v1/templates/thanks", json=changed, headers={"If-Match": '"v7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    done = await client.put("/v1/templates/thanks", json=changed, headers={"If-Match": made.headers["etag"]})
    assert (done.status_code, done.json()["version"], done.json()["saved_by"]) == (200, 2, "tester")
    old = await client.get("/v1/templates/thanks", params={"version": 1})
    assert old.json()["body"] == THANKS["body"]
    assert (await client.get("/v1/templates/thanks")).json()["body"] == changed["body"]


async def test_twins_that_save_one_name_make_one_version_each(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.put("/v1/templates/thanks", json={**THANKS, "body": f"{number}\n"}) for number in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 428, 428, 428, 428]


async def test_a_refused_template_names_each_place_and_is_not_stored(client: httpx.AsyncClient) -> None:
    bad = {"subject": "{{ bad }}", "body": "一行目\n{{ buyer.nmae }}\n"}
    refused = await client.put("/v1/templates/thanks", json=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "template-refused")
    assert [(one["pointer"], one["code"], one["detail"]) for one in refused.json()["errors"]] == [
        ("/subject", "template-variable-unknown", "line 1, column 4: there is no variable bad"),
        ("/body", "template-variable-unknown", "line 2, column 10: there is no variable buyer.nmae"),
    ]
    assert (await client.get("/v1/templates/thanks")).status_code == 404
    large = await client.put("/v1/templates/thanks", json={**THANKS, "body": "あ" * 20_001})
    assert (large.status_code, large.json()["errors"][0]["code"]) == (422, "template-too-large")
    unknown = await client.put("/v1/templates/thanks", json={**THANKS, "colour": "red"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/colour")


async def test_templates_are_listed_page_by_page_and_previewed(client: httpx.AsyncClient) -> None:
    for name in ("a", "お礼", "b"):
        assert (await client.put(f"/v1/templates/{name}", json=THANKS)).status_code == 201
    first = (await client.get("/v1/templates", params={"limit": 2})).json()
    rest = (await client.get("/v1/templates", params={"limit": 2, "cursor": first["next"]})).json()
    assert [one["name"] for one in (*first["items"], *rest["items"])] == sorted(["a", "お礼", "b"])
    assert rest["next"] is None
    shown = await client.post("/v1/templates:preview", json=THANKS)
    assert shown.json() == {"subject": "ご注文 999001-20260101-0000000001", "body": "見本 花子 様\n"}


async def test_a_trigger_is_bound_rebound_and_made_blank(client: httpx.AsyncClient) -> None:
    blank = (await client.get(NEW_ORDER)).json()
    assert (blank["template"], blank["channel"], blank["absent"]) == (None, "relay", None)
    missing = await client.put(NEW_ORDER, json={"template": "thanks"})
    assert (missing.status_code, missing.json()["code"]) == (409, "template-unknown")
    for name in ("thanks", "other"):
        await client.put(f"/v1/templates/{name}", json=THANKS)
    bound = (await client.put(NEW_ORDER, json={"template": "thanks"})).json()
    rebound = (await client.put(NEW_ORDER, json={"template": "other"})).json()
    assert (bound["template"], rebound["template"]) == ("thanks", "other")
    assert bound["bound_at"] == rebound["bound_at"] is not None
    assert (await client.put(NEW_ORDER, json={"template": ""})).json()["template"] is None
    await client.put(NEW_ORDER, json={"template": "thanks"})
    assert [(await client.delete(NEW_ORDER)).status_code for _ in range(2)] == [204, 204]
    slots = (await client.get("/v1/bindings", params={"account_id": ACCOUNT})).json()["items"]
    assert [slot["trigger"] for slot in slots][:3] == ["new_order", "confirmed", "shipped"]
    assert {slot["template"] for slot in slots} == {None}


async def test_what_nothing_sets_off_or_nobody_knows_cannot_be_bound(client: httpx.AsyncClient) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    for trigger in ("reply", "manual"):
        refused = await client.put(f"/v1/bindings/{ACCOUNT}/{trigger}", json={"template": "thanks"})
        assert refused.status_code == 501
    assert (await client.put(f"/v1/bindings/{ACCOUNT}/sometimes", json={"template": "thanks"})).status_code == 422
    assert (await client.put("/v1/bindings/acc_9/new_order", json={"template": "thanks"})).status_code == 404


async def test_a_channel_that_is_absent_says_why_and_where_it_is_done_by_hand(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    shown = (await client.get(f"/v1/bindings/{ACCOUNT}/reply")).json()
    assert shown["channel"] is None
    assert shown["absent"]["reason"]["ja"]
    await take(parts.db, account(2, marketplace_id="nowhere"))
    await client.put("/v1/templates/thanks", json=THANKS)
    refused = await client.put(NEW_ORDER, json={"template": "thanks"})
    assert (refused.status_code, refused.json()["code"], "ja" in refused.json()["remedy"]) == (501, "absent", True)


async def test_the_history_of_an_order_tells_what_was_sent_and_what_was_not_and_why(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    await client.put(NEW_ORDER, json={"template": "thanks"})
    message_id = await in_doubt(parts)
    history = (await client.get("/v1/messages", params={"order_id": "ord_1"})).json()
    assert [(one["id"], one["state"], one["trigger"]) for one in history["items"]] == [
        (message_id, "in_doubt", "new_order")
    ]
    assert [(one["trigger"], one["reason_code"]) for one in history["skipped"]] == [("confirmed", "unbound")]
    assert (await client.get("/v1/messages", params={"state": "handed_over"})).json()["items"] == []
    assert (await client.get(f"/v1/messages/{message_id}")).json()["order_external_id"] == "999001-20260511-0000000001"
    assert (await client.get("/v1/messages/msg_9")).status_code == 404


async def test_messages_are_listed_page_by_page(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    await client.put(NEW_ORDER, json={"template": "thanks"})
    await take(parts.db, *(order(number) for number in range(1, 6)))
    seen: list[str] = []
    cursor = None
    while True:
        page = (await client.get("/v1/messages", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert (len(seen), seen) == (5, sorted(seen, reverse=True))


async def test_a_person_decides_once_under_a_name(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    await client.put(NEW_ORDER, json={"template": "thanks"})
    url = f"/v1/messages/{await in_doubt(parts)}:resolve"
    assert (await client.post(url, json={"decision": "sent_there"})).status_code == 422
    assert (await client.post(url, json={"decision": "sent_there", "name": " "})).status_code == 422
    body = {"decision": "sent_there", "name": "見本 太郎"}
    done, again = await asyncio.gather(client.post(url, json=body), client.post(url, json=body))
    assert (done.status_code, again.status_code) == (200, 200)
    assert (done.json()["state"], done.json()["decided"]["by"]) == ("handed_over", "見本 太郎 (tester)")
    other = await client.post(url, json={"decision": "send_again", "name": "見本 次郎"})
    assert (other.status_code, other.json()["code"]) == (409, "already-decided")
    assert [kind for kind, _ in await recorded(parts.db)].count("hanro.message.handed_over.v1") == 1


async def test_a_key_makes_a_decision_once_and_is_bound_to_its_body(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    await client.put(NEW_ORDER, json={"template": "thanks"})
    url, key = f"/v1/messages/{await in_doubt(parts)}:resolve", {"Idempotency-Key": "k1"}
    body: dict[str, Any] = {"decision": "send_again", "name": "見本 太郎"}
    first = await client.post(url, json=body, headers=key)
    again = await client.post(url, json=body, headers=key)
    assert (first.json()["state"], again.json(), again.headers["idempotency-replayed"]) == (
        "planned", first.json(), "true",
    )  # fmt: skip
    other = await client.post(url, json={**body, "decision": "give_up"}, headers=key)
    assert other.status_code == 422


async def test_a_caller_sees_the_accounts_of_its_shops_alone(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.put("/v1/templates/thanks", json=THANKS)
    await client.put(NEW_ORDER, json={"template": "thanks"})
    message_id = await in_doubt(parts)
    stranger = bearer(*SCOPES, shops=("shp_9",))
    for path in (NEW_ORDER, f"/v1/messages/{message_id}"):
        assert (await client.get(path, headers=stranger)).status_code == 404
    nothing = (await client.get("/v1/messages", params={"order_id": "ord_1"}, headers=stranger)).json()
    assert (nothing["items"], nothing["skipped"]) == ([], [])
    refused = await client.post(
        f"/v1/messages/{message_id}:resolve", json={"decision": "give_up", "name": "x"}, headers=stranger
    )
    assert refused.status_code == 404
    mine = bearer(*SCOPES, shops=("shp_1",))
    assert (await client.get(f"/v1/messages/{message_id}", headers=mine)).status_code == 200


async def test_every_route_asks_for_its_scope(client: httpx.AsyncClient) -> None:
    nobody = await client.get("/v1/templates", headers={"Authorization": ""})
    assert nobody.status_code == 401
    refused = await client.put("/v1/templates/x", json=THANKS, headers=bearer("templates:read"))
    assert (refused.status_code, "templates:write" in refused.json()["detail"]) == (403, True)
