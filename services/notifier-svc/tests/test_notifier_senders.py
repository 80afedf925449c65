"""Tests of senders over HTTP, with a real relay: one mail to the shop itself, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from notifier_playground import ACCOUNT, BUYER, Bed, account, bed, messages, prepare, recorded

from hanro.clock import SystemClock
from hanro.db import Database
from hanro.events.accounts import GrantSeen, SwitchesSet
from hanro.marketplace import installed
from hanro.metrics import new_registry
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.testing.probe import until
from hanro.web import Cursors, Idempotency, create_app
from notifier_svc.api import senders
from notifier_svc.app import SERVICE
from notifier_svc.domain.messages import State

pytestmark = pytest.mark.schema("notifier", prepare)

OWN = "0123456789abcdef0123456789abcdefs9@pc.fw.rakuten.ne.jp"
WRITE = bearer("messages:read", "messages:write")


@pytest.fixture
async def here(db: Database, tmp_path: Path) -> AsyncIterator[Bed]:
    async with bed(db, tmp_path) as made:
        made.neighbours.own = OWN
        yield made


@pytest.fixture
async def client(here: Bed) -> AsyncIterator[httpx.AsyncClient]:
    desk = senders.Desk(
        db=here.db,
        idempotency=Idempotency(here.db, fixed_keyring()),
        plugins=installed(),
        vending=here.desk.vending,
        wake=here.sender.wake,
    )
    apps = create_app(
        SERVICE.info,
        routers=(senders.make_routes(desk),),
        authenticator=SpokenCallers(),
        db=here.db,
        cursors=Cursors(fixed_keyring()),
        clock=SystemClock(),
        registry=new_registry(),
        missing=lambda: None,
    )
    transport = httpx.ASGITransport(apps.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier", headers=WRITE) as made:
        yield made


async def ask(client: httpx.AsyncClient, key: str = "test-1", **body: object) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await client.post("/v1/messages:test", json={"account_id": ACCOUNT} | body, headers=headers)


@pytest.mark.row("A22", kind="walks")
async def test_a_test_mail_goes_from_the_sender_to_the_shop_itself_and_proves_it(
    here: Bed, client: httpx.AsyncClient
) -> None:
    before = (await client.get(f"/v1/notifier/senders/{ACCOUNT}")).json()
    assert (before["proven_at"], before["last_test"]) == (None, None)
    asked = await ask(client, to=OWN.upper())
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == f"/v1/messages/{asked.json()['id']}"
    assert (asked.json()["is_test"], asked.json()["order_id"], asked.json()["state"]) == (True, None, "planned")
    # The same request again, and another one while it is under way, are one mail.
    assert (await ask(client, to=OWN.upper())).json() == asked.json()
    assert (await ask(client, "test-2")).json()["id"] == asked.json()["id"]
    (sent,) = await here.send()
    assert (sent.state, sent.answer) == (State.HANDED_OVER, "250 2.0.0 Ok queued")
    (letter,) = here.room.letters()
    assert (letter.to, letter.message_id) == (OWN, sent.mail_id)
    shown = (await client.get(f"/v1/notifier/senders/{ACCOUNT}")).json()
    assert shown["proven_at"] is not None
    assert shown["last_test"]["state"] == "handed_over"
    assert OWN not in str(shown)
    # A test is nobody's order: no fact tells of it.
    assert not [kind for kind, _ in await recorded(here.db) if ".message." in kind]


@pytest.mark.row("A22", kind="refuses")
@pytest.mark.parametrize(
    ("neighbours", "to", "code"),
    [
        ({}, BUYER, "recipient-not-own"),
        ({}, "someone@example.invalid", "recipient-not-own"),
        ({"own": ""}, None, "option-missing"),
        ({"sender": ""}, None, "option-missing"),
        ({"password": ""}, None, "option-missing"),
        ({"sender": BUYER}, None, "sender-masked"),
    ],
)
async def test_a_test_that_cannot_go_to_the_shop_itself_is_refused_and_nothing_is_sent(
    here: Bed, client: httpx.AsyncClient, neighbours: dict[str, str], to: str | None, code: str
) -> None:
    for name, text in neighbours.items():
        setattr(here.neighbours, name, text)
    refused = await ask(client, to=to)
    assert (refused.status_code, refused.json()["code"]) == (409, code), refused.text
    assert "fw.rakuten" not in refused.text
    assert await messages(here.db) == []


@pytest.mark.row("A22", kind="refuses")
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"state": "suspended"}, "account-inactive"),
        ({"switches": SwitchesSet(messages=False)}, "messages-off"),
        ({"switches": SwitchesSet(is_observing=True)}, "observing"),
        ({"grants": (GrantSeen(grant_id="mail_relay", state="denied"),)}, "grant-missing"),
    ],
)
async def test_no_test_is_sent_for_an_account_that_may_send_no_mail(
    here: Bed, client: httpx.AsyncClient, said: dict[str, Any], code: str
) -> None:
    await here.plan(account(2, **said))
    refused = await ask(client)
    assert (refused.status_code, refused.json()["code"], refused.json()["kind"]) == (409, code, "needs-seller")
    assert refused.json()["remedy"]["ja"]
    assert here.neighbours.asked == []
    assert await messages(here.db) == []


async def is_waiting(db: Database) -> bool:
    sql = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with db.begin() as tx:
        return bool(await tx.fetch(sql))


@pytest.mark.row("A22", kind="refuses")
async def test_an_account_switched_on_while_a_test_is_asked_for_lets_no_unchecked_recipient_pass(
    here: Bed, client: httpx.AsyncClient
) -> None:
    await here.plan(account(2, switches=SwitchesSet(messages=False)))
    async with here.db.begin() as tx:
        on = SwitchesSet().model_dump_json()
        await tx.execute("update accounts set switches = $2::text::jsonb where id = $1", ACCOUNT, on)
        asking = asyncio.create_task(ask(client, to="someone@example.invalid"))
        # It has looked ahead, saw messages off, and waits for the row that is switched on meanwhile.
        await until(lambda: is_waiting(here.db))
    refused = await asking
    assert (refused.status_code, refused.json()["code"]) == (409, "messages-off"), refused.text
    assert await messages(here.db) == []


@pytest.mark.row("A22", kind="refuses")
async def test_a_key_is_needed_the_shop_must_be_the_callers_and_tests_are_a_minute_apart(
    here: Bed, client: httpx.AsyncClient
) -> None:
    missing = await client.post("/v1/messages:test", json={"account_id": ACCOUNT})
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency-key-missing")
    other = bearer("messages:read", "messages:write", shops=("shp_other",)) | {"Idempotency-Key": "k"}
    hidden = await client.post("/v1/messages:test", json={"account_id": ACCOUNT}, headers=other)
    assert hidden.status_code == 404
    await ask(client)
    await here.send()
    soon = await ask(client, "test-2")
    assert (soon.status_code, soon.json()["code"]) == (429, "too-many-tests")
    assert 0 < int(soon.headers["Retry-After"]) <= 60
    async with here.db.begin() as tx:
        await tx.execute("update messages set planned_at = planned_at - $1::interval", timedelta(minutes=2))
    assert (await ask(client, "test-3")).status_code == 202


@pytest.mark.row("A22", kind="refuses")
async def test_a_refused_login_or_sender_ends_the_test_at_once_with_the_relays_words(
    here: Bed, client: httpx.AsyncClient
) -> None:
    here.neighbours.password = "wrong"
    await ask(client)
    (refused,) = await here.send()
    assert (refused.state, refused.reason_code) == (State.REFUSED, "credential-refused")
    assert (refused.answer or "").startswith("535")
    async with here.db.begin() as tx:
        await tx.execute("update messages set planned_at = planned_at - $1::interval", timedelta(minutes=2))
    here.neighbours.password, here.neighbours.sender = "canary-password", "nobody@example.invalid"
    here.desk.vending.forget(ACCOUNT)
    await ask(client, "test-2")
    refused = (await here.send())[-1]
    assert (refused.state, refused.reason_code) == (State.REFUSED, "sender-refused")
    assert (refused.answer or "").startswith("552")
    assert "nobody" not in (refused.answer or "")
    assert here.room.letters() == []
