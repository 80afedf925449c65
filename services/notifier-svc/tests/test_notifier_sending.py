"""Sending on a real Postgres through a real SMTP relay: one mail a message, whatever breaks, and nothing hidden."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from notifier_playground import BUYER, Bed, account, bed, bind, messages, order, prepare, recorded

from hanro.db import Database
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId
from hanro.testing.schemas import move_ahead
from hanro_local.databases import SchemaUrls
from notifier_svc.domain.messages import State
from notifier_svc.sender.loop import Sender
from notifier_svc.store.templates import find_template

pytestmark = pytest.mark.schema("notifier", prepare)


@pytest.fixture
async def here(db: Database, tmp_path: Path) -> AsyncIterator[Bed]:
    async with bed(db, tmp_path) as made:
        await bind(db, body="{{ buyer.name }} 様\n{% for line in lines %}{{ line.title }}{% endfor %}\n")
        yield made


async def test_a_new_order_is_told_to_its_buyer(here: Bed) -> None:
    here.neighbours.names["ord_1"] = "①髙㈱〜 ﾊﾝｶｸ"
    await here.plan(order(1))
    (message,) = await here.send()
    assert (message.state, message.reason_code, message.template_version, message.attempt) == (
        State.HANDED_OVER, None, 1, 1,
    )  # fmt: skip
    assert message.answer == "250 2.0.0 Ok queued"
    (letter,) = here.room.letters()
    assert (letter.subject, letter.to) == ("ご注文 999001-20260511-0000000001", BUYER)
    assert letter.body == "①髙㈱〜 ﾊﾝｶｸ 様\n見本タオル\n"
    assert letter.message_id == message.mail_id == f"<{message.id}@example.invalid>"
    assert (await recorded(here.db))[0] == ("hanro.message.handed_over.v1", message.id)


async def test_replayed_facts_and_an_edited_template_send_nothing_more(here: Bed) -> None:
    fact = order(1)
    await here.plan(fact)
    await here.send()
    async with here.db.begin() as tx:
        await tx.execute("delete from inbox")
    await bind(here.db, body="新しい文面 {{ shop.name }}\n")
    await here.plan(fact)
    await here.plan(order(1, version=2, milestones=fact.milestones))
    await here.send()
    assert len(here.room.letters()) == 1


async def test_many_mails_share_one_connection(here: Bed) -> None:
    # A dial that hurts nobody writes each connection into the relay's journal.
    here.room.fault(kind="mail-slow", stage="connect", seconds=0.001)
    await here.plan(*(order(number) for number in range(1, 31)))
    found = await here.send()
    assert [message.state for message in found] == [State.HANDED_OVER] * 30
    assert len({letter.message_id for letter in here.room.letters()}) == 30
    assert here.room.stages() == ["connect"]


async def test_two_senders_share_the_work_and_no_message_is_sent_twice(here: Bed) -> None:
    await here.plan(*(order(number) for number in range(1, 41)))
    twin = Sender(here.desk_elsewhere(), lanes=4)
    stop = asyncio.Event()
    beside = asyncio.create_task(twin.run(stop))
    await here.send()
    stop.set()
    await beside
    assert sorted(letter.subject for letter in here.room.letters()) == [
        f"ご注文 999001-20260511-{number:010}" for number in range(1, 41)
    ]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
async def test_a_refusal_for_good_is_known_at_every_step(here: Bed, stage: str) -> None:
    await here.plan(order(1))
    here.room.fault(kind="mail-answer", stage=stage, status=550, body=f"5.1.1 <{BUYER}> no such user", count=1)
    (message,) = await here.send()
    assert message.state is State.REFUSED
    assert message.answer == "550 5.1.1 no such user"
    assert here.room.letters() == []
    assert [kind for kind, _ in await recorded(here.db) if "message" in kind] == ["hanro.message.refused.v1"]
    await here.plan(order(2))
    assert [message.state for message in await here.send()] == [State.REFUSED, State.HANDED_OVER]


@pytest.mark.parametrize(
    ("stage", "status"), [("mail", 451), ("rcpt", 450), ("data", 452), ("dot", 451), ("rcpt", 421)]
)
async def test_a_refusal_for_now_is_tried_again_on_schedule(here: Bed, stage: str, status: int) -> None:
    await here.plan(order(1))
    here.room.fault(kind="mail-answer", stage=stage, status=status, count=1)
    (message,) = await here.send(until=("sending",), seconds=0.1)
    async with asyncio.timeout(20):
        while message.failure_count == 0:
            (message,) = await here.send(seconds=0.3)
    assert (message.state, message.failure_count, message.reason_code) == (State.PLANNED, 1, "unavailable")
    assert message.next_at is not None
    assert timedelta(seconds=9) < message.next_at - message.planned_at < timedelta(seconds=15)
    await here.hurry()
    (message,) = await here.send()
    assert message.state is State.HANDED_OVER
    (letter,) = here.room.letters()
    assert letter.message_id == message.mail_id


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
async def test_a_connection_cut_before_the_mail_is_known_and_tried_again(here: Bed, stage: str) -> None:
    await here.plan(order(1))
    here.room.fault(kind="mail-cut", stage=stage, count=1)
    (message,) = await here.send(seconds=1.0)
    assert (message.state, message.reason_code) == (State.PLANNED, "unavailable")
    await here.hurry()
    assert [message.state for message in await here.send()] == [State.HANDED_OVER]
    assert len(here.room.letters()) == 1


@pytest.mark.parametrize(("stage", "copies"), [("body", 0), ("dot", 0), ("dot", 1)])
async def test_a_lost_answer_is_in_doubt_and_never_sent_again(here: Bed, stage: str, copies: int) -> None:
    await here.plan(order(1))
    here.room.fault(kind="mail-cut", stage=stage, stored=bool(copies), count=1)
    (message,) = await here.send()
    assert (message.state, message.reason_code) == (State.IN_DOUBT, "answer-lost")
    await here.hurry()
    await here.plan(order(1, version=5))
    (message,) = await here.send(seconds=1.0)
    assert message.state is State.IN_DOUBT
    assert len(here.room.letters()) == copies
    assert ("hanro.message.in_doubt.v1", message.id) in await recorded(here.db)


async def test_silence_after_the_dot_is_in_doubt_when_the_deadline_has_passed(db: Database, tmp_path: Path) -> None:
    async with bed(db, tmp_path, deadline=timedelta(seconds=0.5)) as here:
        await bind(db)
        await here.plan(order(1))
        here.room.fault(kind="mail-slow", stage="dot", seconds=1.5, count=1)
        (message,) = await here.send()
        assert message.state is State.IN_DOUBT
        assert len(here.room.letters()) == 1


@pytest.mark.parametrize("fault", ["mail-refuse", "mail-tls-broken", "mail-tls-name"])
async def test_a_relay_that_cannot_be_opened_lets_all_wait_and_heals(here: Bed, fault: str) -> None:
    dial = here.room.fault(kind=fault)
    await here.plan(order(1), order(2))
    found = await here.send(seconds=1.5)
    assert [(message.state, message.failure_count) for message in found] == [(State.PLANNED, 0)] * 2
    async with here.db.begin() as tx:
        (paused,) = await tx.fetch("select pause_code, pause_count from accounts")
    assert (paused["pause_code"], paused["pause_count"] >= 1) == ("unavailable", True)
    here.room.relay.desk.faults.remove(dial)
    await asyncio.sleep(0.1)
    await here.hurry()
    assert [message.state for message in await here.send()] == [State.HANDED_OVER] * 2
    async with here.db.begin() as tx:
        assert (await tx.fetch("select pause_count from accounts"))[0]["pause_count"] == 0


async def test_a_refused_login_pauses_the_account_and_is_reported_with_its_grant(here: Bed) -> None:
    here.neighbours.password = "wrong"
    await here.plan(order(1))
    (message,) = await here.send(seconds=1.0)
    assert (message.state, message.failure_count) == (State.PLANNED, 0)
    async with here.db.begin() as tx:
        (paused,) = await tx.fetch(
            "select pause_code, paused_until > notifier.now() + interval '10 minutes' as long from accounts"
        )
        (report,) = await tx.fetch(
            "select convert_from(value, 'utf8') as value from outbox where topic = 'hanro.access'"
            " order by id desc limit 1"
        )
    assert (paused["pause_code"], paused["long"]) == ("credential-refused", True)
    assert "credential-refused" in report["value"]
    assert "wrong" not in report["value"]
    here.neighbours.password = "canary-password"
    await here.plan(account(2, credential_version=2))
    assert [message.state for message in await here.send()] == [State.HANDED_OVER]


async def test_an_account_that_is_suspended_sends_nothing_until_it_works_again(here: Bed) -> None:
    await here.plan(account(2, state="suspended"), order(1))
    (message,) = await here.send(seconds=1.0)
    assert (message.state, message.attempt) == (State.PLANNED, 0)
    await here.plan(account(3))
    assert [message.state for message in await here.send()] == [State.HANDED_OVER]


async def test_a_message_waits_while_order_svc_is_away_and_asks_anew(here: Bed) -> None:
    here.neighbours.contact_status = 503
    await here.plan(order(1))
    (message,) = await here.send(seconds=1.0)
    assert (message.state, message.failure_count) == (State.PLANNED, 0)
    here.neighbours.contact_status = 200
    await here.hurry()
    assert [message.state for message in await here.send()] == [State.HANDED_OVER]
    assert sum(path.endswith("/contact") for path in here.neighbours.asked) >= 2


async def test_an_order_without_a_contact_waits_alone(here: Bed) -> None:
    here.neighbours.contact_status, here.neighbours.contact_code = 409, "no-contact"
    await here.plan(order(1))
    (message,) = await here.send(seconds=1.0)
    assert (message.state, message.failure_count, message.reason_code) == (State.PLANNED, 1, "no-contact")
    here.neighbours.contact_status = 200
    await here.plan(order(2))
    found = await here.send(seconds=1.0)
    assert [message.state for message in found] == [State.PLANNED, State.HANDED_OVER]


async def test_a_buyer_whose_name_breaks_a_header_harms_nobody_else(here: Bed) -> None:
    async with here.db.begin() as tx:
        await tx.execute("update template_versions set subject = '{{ buyer.name }}'")
    here.neighbours.names["ord_1"] = "見本\r\nBcc: all@example.invalid"
    await here.plan(order(1), order(2))
    assert [(message.state, message.reason_code) for message in await here.send()] == [
        (State.REFUSED, "text-unencodable"),
        (State.HANDED_OVER, None),
    ]
    (letter,) = here.room.letters()
    assert "all@example.invalid" not in letter.subject


async def test_a_bug_in_one_sellers_lane_leaves_the_mails_of_the_others_and_sends_nothing_twice(here: Bed) -> None:
    class Broken(dict[MarketplaceId, Plugin]):
        looks = 0

        def get(self, key: MarketplaceId, default: Any = None) -> Any:
            self.looks += 1
            if self.looks == 1:
                raise KeyError("canary")
            return super().get(key, default)

    await here.plan(account(1, id="acc_2", account_id="acc_2"), order(1), order(2, account_id="acc_2"))
    async with here.db.begin() as tx:
        await tx.execute("insert into bindings select 'acc_2', trigger, template, channel, bound_at, 'x' from bindings")
        await tx.execute("delete from skips")
        await tx.execute("delete from inbox")
    await here.plan(order(2, account_id="acc_2"))
    here.sender = Sender(replace(here.desk, plugins=Broken(here.desk.plugins)), lanes=4)
    found = await here.send(seconds=2.0)
    assert sorted(message.state for message in found) == [State.HANDED_OVER, State.PLANNED]
    await here.hurry()
    assert [message.state for message in await here.send()] == [State.HANDED_OVER] * 2
    assert len(here.room.letters()) == 2


async def test_an_address_outside_the_relay_is_refused_before_a_connection(here: Bed) -> None:
    here.neighbours.email = "hanako@example.invalid"
    await here.plan(order(1))
    (message,) = await here.send()
    assert (message.state, message.reason_code) == (State.REFUSED, "recipient-refused")
    assert (here.room.letters(), here.room.stages()) == ([], [])


async def test_what_grew_too_old_while_it_waited_is_suppressed(here: Bed) -> None:
    await here.plan(order(1))
    async with here.db.begin() as tx:
        await tx.execute("update messages set expires_at = notifier.now()")
    (message,) = await here.send()
    assert (message.state, message.reason_code) == (State.SUPPRESSED, "too-old")


async def test_a_sender_that_died_while_sending_leaves_its_message_in_doubt(here: Bed) -> None:
    await here.plan(order(1))
    async with here.db.begin() as tx:
        await tx.execute("update messages set state = 'sending', attempt = 1, next_at = notifier.now()")
    (message,) = await here.send()
    assert (message.state, message.version) == (State.IN_DOUBT, 1)
    assert here.room.letters() == []


async def test_a_sender_that_died_before_sending_is_followed_by_another(here: Bed) -> None:
    await here.plan(order(1))
    assert len(await here.desk.ledger.claim(account_limit=4, limit_each=10, busy=[])) == 1
    assert await here.desk.ledger.claim(account_limit=4, limit_each=10, busy=[]) == []
    await here.hurry()
    (message,) = await here.send()
    assert (message.state, message.attempt) == (State.HANDED_OVER, 2)


async def test_a_claim_that_lapsed_may_not_begin_and_settles_nothing(here: Bed) -> None:
    await here.plan(order(1))
    (stale,) = await here.desk.ledger.claim(account_limit=4, limit_each=10, busy=[])
    await here.hurry()
    assert not await here.desk.ledger.mark_sending(stale)
    (fresh,) = await here.desk.ledger.claim(account_limit=4, limit_each=10, busy=[])
    assert await here.desk.ledger.mark_sending(fresh)
    await here.desk.ledger.settle(stale, State.HANDED_OVER)
    await here.desk.ledger.give_back([stale])
    assert [message.state for message in await messages(here.db)] == [State.SENDING]


async def test_a_truth_that_comes_late_settles_what_was_put_in_doubt(here: Bed) -> None:
    await here.plan(order(1))
    (claimed,) = await here.desk.ledger.claim(account_limit=4, limit_each=10, busy=[])
    assert await here.desk.ledger.mark_sending(claimed)
    async with here.db.begin() as tx:
        await tx.execute("update messages set next_at = notifier.now()")
    await here.desk.ledger.take_over(limit=10)
    await here.desk.ledger.settle(claimed, State.HANDED_OVER, answer="250 ok")
    (message,) = await messages(here.db)
    assert (message.state, message.version) == (State.HANDED_OVER, 2)


async def test_a_stop_gives_back_what_has_not_begun(here: Bed) -> None:
    here.room.fault(kind="mail-slow", stage="dot", seconds=0.5, count=1)
    await here.plan(*(order(number) for number in range(1, 6)))
    stop = asyncio.Event()
    running = asyncio.create_task(here.sender.run(stop))
    while not any(message.state is State.SENDING for message in await messages(here.db)):
        await asyncio.sleep(0.02)
    stop.set()
    await running
    states = [message.state for message in await messages(here.db)]
    assert states == [State.HANDED_OVER, *[State.PLANNED] * 4]
    async with here.db.begin() as tx:
        rows = await tx.fetch("select bool_and(next_at <= notifier.now()) as due from messages where state = 'planned'")
    assert rows[0]["due"]


async def test_no_address_name_or_password_stands_in_the_schema(here: Bed) -> None:
    here.neighbours.names["ord_1"] = "カナリア 太郎"
    here.room.fault(kind="mail-answer", stage="rcpt", status=450, body=f"4.2.1 <{BUYER}> busy", count=1)
    await here.plan(order(1), order(2))
    await here.send(seconds=1.0)
    async with here.db.begin() as tx:
        tables = await tx.fetch("select tablename from pg_tables where schemaname = 'notifier'")
        dump = ""
        for row in tables:
            found = await tx.fetch(f'select t::text as line from "{row["tablename"]}" t')  # noqa: S608  catalogue's names
            dump += "".join(one["line"] for one in found)
    for secret in ("カナリア", "0123456789abcdef0123456789abcdef", "canary-password"):
        assert secret not in dump


def prepare_ahead(urls: SchemaUrls) -> None:
    prepare(urls)
    move_ahead(urls)


@pytest.mark.schema("notifier", prepare_ahead)
async def test_a_schema_that_is_a_version_ahead_serves(db: Database, tmp_path: Path) -> None:
    async with bed(db, tmp_path) as here:
        await bind(db)
        await here.plan(order(1))
        assert [message.state for message in await here.send()] == [State.HANDED_OVER]
        async with db.begin() as tx:
            assert await find_template(tx, "thanks", 1) is not None
