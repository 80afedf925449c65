"""Senders that die or lose an answer, as processes and on purpose: at most one copy of a mail, none in silence."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from notifier_playground import Bed, bed, bind, messages, order, prepare

from hanro.db import Database, connect
from hanro_local.databases import SchemaUrls
from notifier_svc.domain.messages import Message, State
from notifier_svc.sender.ledger import Ledger

pytestmark = pytest.mark.schema("notifier", prepare)

CHILD = Path(__file__).parent / "notifier_child.py"
QUICK = timedelta(seconds=3)


@asynccontextmanager
async def notifier(db: Database, folder: Path, ledger: type[Ledger] = Ledger) -> AsyncIterator[Bed]:
    async with bed(db, folder, lease=QUICK, ledger=ledger) as made:
        await bind(db)
        yield made


async def die(here: Bed, urls: SchemaUrls, failpoint: str) -> None:
    """Run a sender as a process until its failpoint kills it."""
    arguments = (urls.runtime, here.services_url, here.room.address, str(here.room.certificate_file))
    environment = {**os.environ, "HANRO_FAILPOINTS": failpoint}
    process = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), *arguments, env=environment)
    try:
        async with asyncio.timeout(30):
            assert await process.wait() == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def reached(db: Database, state: State) -> None:
    """Wait until a message is in a state."""
    async with asyncio.timeout(20):
        while not any(message.state is state for message in await messages(db)):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("failpoint", "copies"), [("sender.sending=kill", 0), ("sender.handed_over=kill", 1)])
async def test_a_sender_killed_around_its_mail_leaves_it_in_doubt_and_the_others_are_sent(
    db: Database, urls: SchemaUrls, tmp_path: Path, failpoint: str, copies: int
) -> None:
    async with notifier(db, tmp_path) as here:
        await here.plan(*(order(number) for number in range(1, 4)))
        await die(here, urls, failpoint)
        assert [message.state for message in await messages(db)].count(State.SENDING) == 1
        found = await here.send()
        assert sorted(message.state for message in found) == ["handed_over", "handed_over", "in_doubt"]
        (doubtful,) = (message for message in found if message.state is State.IN_DOUBT)
        letters = [letter.message_id for letter in here.room.letters()]
        assert letters.count(doubtful.mail_id or "") == copies
        assert len(letters) == len(set(letters)) == 2 + copies


async def test_a_sender_killed_before_its_mail_is_followed_by_another(
    db: Database, urls: SchemaUrls, tmp_path: Path
) -> None:
    async with notifier(db, tmp_path) as here:
        await here.plan(order(1), order(2))
        await die(here, urls, "sender.claimed=kill")
        assert [message.state for message in await here.send()] == [State.HANDED_OVER] * 2
        assert len(here.room.letters()) == 2


async def test_a_sender_that_slept_over_its_lease_before_its_mail_sends_nothing(
    db: Database, urls: SchemaUrls, tmp_path: Path
) -> None:
    async with notifier(db, tmp_path) as here:
        await here.plan(order(1))
        dying = asyncio.create_task(die(here, urls, "sender.marked=sleep:4,sender.turn=kill@5"))
        await reached(db, State.SENDING)
        (message,) = await here.send(until=("sending",))
        assert message.state is State.IN_DOUBT
        await dying
        (message,) = await messages(db)
        assert (message.state, here.room.letters()) == (State.IN_DOUBT, [])


class DeafLedger(Ledger):
    """Lose the answer to the first COMMIT of `sending`: it stands, and the sender does not know."""

    is_deaf = True

    async def mark_sending(self, message: Message) -> bool:
        """Commit, and lose the answer once."""
        is_ours = await super().mark_sending(message)
        if self.is_deaf:
            self.is_deaf = False
            raise ConnectionResetError
        return is_ours


async def test_a_lost_answer_to_the_mark_is_no_lost_mail(db: Database, tmp_path: Path) -> None:
    async with notifier(db, tmp_path, DeafLedger) as here:
        await here.plan(order(1))
        (message,) = await here.send()
        assert (message.state, message.attempt) == (State.HANDED_OVER, 2)
        assert len(here.room.letters()) == 1


async def test_a_database_that_drops_all_its_connections_costs_neither_mail_nor_truth(
    db: Database, urls: SchemaUrls, tmp_path: Path
) -> None:
    observer, killer = connect(urls.owner, schema="notifier"), connect(urls.runtime, schema="notifier")
    async with notifier(db, tmp_path) as here:
        here.room.fault(kind="mail-slow", stage="dot", seconds=0.4, count=1)
        await here.plan(order(1))
        stop = asyncio.Event()
        sending = asyncio.create_task(here.sender.run(stop))
        await reached(observer, State.SENDING)
        async with killer.begin() as tx:
            await tx.fetch(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = current_user and datname = current_database() and pid <> pg_backend_pid()"
            )
        await reached(observer, State.HANDED_OVER)
        stop.set()
        await sending
        assert len(here.room.letters()) == 1
    await observer.close()
    await killer.close()


class BlindLedger(Ledger):
    """Send again what was being sent, as a ledger without doubt would: broken on purpose."""

    async def take_over(self, *, limit: int) -> None:
        """Plan anew what lapsed while it was being sent."""
        async with self._db.begin() as tx:
            lapsed = "state = 'sending' and next_at <= notifier.now()"
            await tx.execute(f"update messages set state = 'planned' where {lapsed}")  # noqa: S608  a constant
        await super().take_over(limit=limit)


async def test_the_check_of_copies_sees_a_ledger_that_sends_blindly(
    db: Database, urls: SchemaUrls, tmp_path: Path
) -> None:
    async with notifier(db, tmp_path, BlindLedger) as here:
        await here.plan(order(1))
        await die(here, urls, "sender.handed_over=kill")
        await here.send()
        assert len(here.room.letters()) == 2
