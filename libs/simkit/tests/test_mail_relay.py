"""The mail relay over real SMTP: rules, refusals, every fault, and what it keeps."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from simkit.clock import Clock
from simkit.faults import Fault
from simkit.journal import Journal
from simkit.relay.desk import Rules
from simkit.relay.logins import Login
from simkit.relay.pages import inbox_page, mail_page
from simkit.relay.server import Relay, RelaySettings, make_desk

LOGIN = Login("999001", "123456", "canary-password", frozenset({"shop@example.invalid"}))
BUYER = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"


class Running:
    """Hold a listening relay and what a client needs to trust it."""

    def __init__(self, relay: Relay, certificate_file: Path) -> None:
        self.relay = relay
        self.desk = relay.desk
        self.trust = ssl.create_default_context(cafile=str(certificate_file))

    def client(self, *, start_tls: bool = True) -> aiosmtplib.SMTP:
        """Make a client that is not connected yet."""
        return aiosmtplib.SMTP(
            hostname="localhost", port=self.relay.port, start_tls=start_tls, tls_context=self.trust, timeout=5
        )

    async def login(self) -> aiosmtplib.SMTP:
        """Connect and log in."""
        client = self.client()
        await client.connect()
        await client.login(LOGIN.username, LOGIN.password)
        return client

    async def send(self, sender: str = "shop@example.invalid", recipient: str = BUYER) -> tuple[dict[str, Any], str]:
        """Send one mail over a connection of its own."""
        client = await self.login()
        try:
            return await client.sendmail(sender, [recipient], letter().as_bytes())
        finally:
            client.close()

    def fault(self, **fault: Any) -> int:
        """Turn a dial on."""
        return self.desk.faults.add(Fault.model_validate(fault)).id

    def entries(self, kind: str) -> list[dict[str, object]]:
        """Read the journal."""
        return [entry.to_json() for entry in self.desk.journal.read(kind=kind).entries]


def letter(subject: str = "ご注文ありがとうございます ①髙㈱〜") -> EmailMessage:
    """Make a mail as a shop writes it."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "見本商店 <shop@example.invalid>"
    message["To"] = BUYER
    message["Message-ID"] = "<order-1@example.invalid>"
    message.set_content("見本 花子 様\n.一行目が点\n<script>alert(1)</script>\n")
    return message


@asynccontextmanager
async def relaying(directory: Path, rules: Rules) -> AsyncIterator[Running]:
    """Run a relay for the length of the block."""
    clock = Clock()
    certificate_file = directory / "authority.pem"
    settings = RelaySettings(certificate_file=certificate_file, logins=(LOGIN,), rules=rules)
    relay = Relay(make_desk(settings, clock, Journal(clock)), "127.0.0.1", 0)
    await relay.start()
    minding = asyncio.create_task(relay.run())
    try:
        yield Running(relay, certificate_file)
    finally:
        minding.cancel()
        await asyncio.gather(minding, return_exceptions=True)
        await relay.stop()
        # Connections that a test cut end in callbacks of the loop.
        await asyncio.sleep(0.01)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with relaying(tmp_path, Rules(size_limit_bytes=200_000)) as relay:
        yield relay


async def test_a_mail_is_kept_as_sent_and_decoded(running: Running) -> None:
    errors, answer = await running.send()
    assert (errors, answer) == ({}, "2.0.0 Ok: queued")
    (mail,) = running.desk.mailbox.list()
    assert (mail.shop, mail.sender, mail.recipients) == ("999001", "shop@example.invalid", (BUYER,))
    assert mail.raw.replace(b"\r\n", b"\n") == letter().as_bytes()
    (entry,) = running.entries("mail")
    assert (entry["mail_id"], entry["message_id"], entry["sha256"]) == (1, "<order-1@example.invalid>", mail.digest)


async def test_one_connection_carries_several_mails(running: Running) -> None:
    client = await running.login()
    for _ in range(3):
        await client.sendmail("shop@example.invalid", [BUYER], letter().as_bytes())
    await client.quit()
    assert [mail.id for mail in running.desk.mailbox.list()] == [1, 2, 3]


async def test_auth_is_offered_after_starttls_only(running: Running) -> None:
    client = running.client(start_tls=False)
    await client.connect()
    await client.ehlo()
    assert client.supports_extension("starttls")
    assert not client.supports_extension("auth")
    refused = await client.execute_command(b"AUTH", b"PLAIN", base64.b64encode(b"\0123456\0canary-password"))
    assert refused.code == 538
    refused = await client.execute_command(b"MAIL", b"FROM:<shop@example.invalid>")
    assert refused.code == 530
    await client.starttls(tls_context=running.trust)
    await client.ehlo()
    assert client.server_auth_methods == ["plain", "login"]
    await client.quit()


@pytest.mark.parametrize("mechanism", ["plain", "login"])
async def test_both_mechanisms_open_and_a_wrong_password_is_535(running: Running, mechanism: str) -> None:
    client = running.client()
    await client.connect()
    await client.ehlo()
    attempt = client.auth_plain if mechanism == "plain" else client.auth_login
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
        await attempt(LOGIN.username, "wrong")
    assert refused.value.code == 535
    assert (await attempt(LOGIN.username, LOGIN.password)).code == 235
    await client.quit()
    assert "wrong" not in json.dumps(running.entries("smtp"))


async def test_a_foreign_sender_and_a_foreign_recipient_are_rejected_in_the_relays_words(running: Running) -> None:
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as sender:
        await running.send(sender="other@example.invalid")
    assert (sender.value.code, sender.value.message) == (552, "5.2.0 <other@example.invalid> sender rejected")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as recipients:
        await running.send(recipient="a@example.invalid")
    (refused,) = recipients.value.recipients
    assert (refused.code, refused.message) == (552, "5.2.0 <a@example.invalid> recipient rejected")
    assert len(running.desk.mailbox) == 0
    assert [entry["stage"] for entry in running.entries("smtp")] == ["mail", "rcpt"]


async def test_the_empty_sender_is_rejected_without_a_bracket_too_many(running: Running) -> None:
    client = await running.login()
    refused = await client.execute_command(b"MAIL", b"FROM:<>")
    assert (refused.code, refused.message) == (552, "5.2.0 <> sender rejected")
    client.close()


async def test_a_foreign_author_in_the_from_header_is_rejected_like_a_foreign_sender(running: Running) -> None:
    client = await running.login()
    foreign = letter().as_bytes().replace(b"<shop@example.invalid>", b"<other@example.invalid>", 1)
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await client.sendmail("shop@example.invalid", [BUYER], foreign)
    assert (refused.value.code, refused.value.message) == (552, "5.2.0 <other@example.invalid> sender rejected")
    assert len(running.desk.mailbox) == 0
    await client.sendmail("shop@example.invalid", [BUYER], letter().as_bytes())
    assert len(running.desk.mailbox) == 1
    client.close()


@pytest.mark.parametrize(
    "header",
    [
        "From: 見本商店 <SHOP@example.invalid>\r\n".encode(),
        "From: 見本商店 <shop@example.invalid>\r\n".encode("cp932"),
        b"from: shop@example.invalid\r\n",
        b'From: "A, B" <shop@example.invalid>\r\n',
        b"",
    ],
)
async def test_an_author_is_known_in_any_spelling(running: Running, header: bytes) -> None:
    client = await running.login()
    await client.sendmail("shop@example.invalid", [BUYER], header + b"Subject: x\r\n\r\nx\r\n")
    assert len(running.desk.mailbox) == 1
    client.close()


@pytest.mark.parametrize("is_strict", [False, True])
async def test_plain_text_alone_can_be_asked_for(tmp_path: Path, is_strict: bool) -> None:  # noqa: FBT001  pytest names it
    rules = Rules(takes_plain_text_alone=is_strict)
    message = letter()
    message.add_alternative("<p>見本 花子 様</p>", subtype="html")
    async with relaying(tmp_path, rules) as running:
        client = await running.login()
        await client.sendmail("shop@example.invalid", [BUYER], letter().as_bytes())
        if is_strict:
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await client.sendmail("shop@example.invalid", [BUYER], message.as_bytes())
            assert refused.value.code == 554
        else:
            await client.sendmail("shop@example.invalid", [BUYER], message.as_bytes())
        assert len(running.desk.mailbox) == (1 if is_strict else 2)
        client.close()


async def test_a_login_taken_away_sends_no_further_mail(running: Running) -> None:
    client = await running.login()
    await client.sendmail("shop@example.invalid", [BUYER], letter().as_bytes())
    running.desk.logins.remove(LOGIN.username)
    with pytest.raises(aiosmtplib.SMTPSenderRefused):
        await client.sendmail("shop@example.invalid", [BUYER], letter().as_bytes())
    client.close()


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_mail_over_the_limit_is_552_5_3_4(running: Running, is_announced: bool) -> None:  # noqa: FBT001  pytest names it
    client = await running.login()
    big = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    big += (b"y" * 70 + b"\r\n") * 3_000
    if is_announced:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await client.sendmail("shop@example.invalid", [BUYER], big)
        assert (refused.value.code, refused.value.message[:5]) == (552, "5.3.4")
    else:
        await client.mail("shop@example.invalid")
        await client.rcpt(BUYER)
        with pytest.raises(aiosmtplib.SMTPDataError) as late:
            await client.data(big)
        assert (late.value.code, late.value.message[:5]) == (552, "5.3.4")
    await client.quit()
    assert len(running.desk.mailbox) == 0


async def first_refusal(running: Running) -> int | None:
    """Walk through one mail command by command: when refused, the library's `login` and `send` try other ways."""
    client = running.client(start_tls=False)
    try:
        await client.connect()
        await client.ehlo()
        await client.starttls(tls_context=running.trust)
        await client.ehlo()
        await client.auth_plain(LOGIN.username, LOGIN.password)
        await client.mail("shop@example.invalid")
        await client.rcpt(BUYER)
        await client.data(letter().as_bytes())
    except aiosmtplib.SMTPResponseException as refused:
        return refused.code
    finally:
        client.close()
    return None


@pytest.mark.parametrize("code", [421, 451, 550])
@pytest.mark.parametrize("stage", ["connect", "ehlo", "auth", "mail", "rcpt", "data", "dot"])
async def test_every_stage_can_be_refused_once_and_works_again(running: Running, stage: str, code: int) -> None:
    running.fault(kind="mail-answer", stage=stage, status=code, body="4.7.1 busy", count=1)
    assert await first_refusal(running) == code
    assert len(running.desk.mailbox) == 0
    assert await first_refusal(running) is None
    assert len(running.desk.mailbox) == 1
    assert [(entry["stage"], entry["answer"]) for entry in running.entries("smtp")] == [(stage, f"{code} 4.7.1 busy")]


async def test_421_closes_the_channel_and_451_does_not(running: Running) -> None:
    running.fault(kind="mail-answer", stage="mail", status=451, count=1)
    client = await running.login()
    with pytest.raises(aiosmtplib.SMTPSenderRefused):
        await client.mail("shop@example.invalid")
    assert (await client.mail("shop@example.invalid")).code == 250
    running.fault(kind="mail-answer", stage="rcpt", status=421, count=1)
    with pytest.raises(aiosmtplib.SMTPResponseException):
        await client.rcpt(BUYER)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await client.noop()


@pytest.mark.parametrize("stage", ["connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot"])
async def test_every_stage_can_be_cut_and_nothing_is_kept(running: Running, stage: str) -> None:
    running.fault(kind="mail-cut", stage=stage, count=1)
    with pytest.raises((aiosmtplib.SMTPException, ConnectionError)):
        await running.send()
    assert len(running.desk.mailbox) == 0
    await running.send()
    assert len(running.desk.mailbox) == 1


async def test_a_cut_after_the_dot_can_have_kept_the_mail(running: Running) -> None:
    running.fault(kind="mail-cut", stage="dot", stored=True, count=1)
    with pytest.raises((aiosmtplib.SMTPException, ConnectionError)):
        await running.send()
    assert len(running.desk.mailbox) == 1
    assert [entry["fault"] for entry in running.entries("mail")] == ["mail-cut"]


async def test_slow_answers_late_and_keeps_the_mail(running: Running) -> None:
    running.fault(kind="mail-slow", stage="dot", seconds=0.3)
    began = time.monotonic()
    await running.send()
    assert time.monotonic() - began > 0.3
    assert len(running.desk.mailbox) == 1


async def test_a_dial_hits_one_recipient_and_one_shop_only(running: Running) -> None:
    running.fault(kind="mail-answer", stage="rcpt", status=550, match={"recipient": BUYER})
    running.fault(kind="mail-answer", stage="mail", status=451, match={"shop": "999002"})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await running.send()
    await running.send(recipient="other@dm.fw.rakuten.ne.jp")


async def test_a_certificate_of_another_name_and_a_broken_handshake_are_not_trusted(running: Running) -> None:
    running.fault(kind="mail-tls-name", count=1)
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        await running.send()
    running.fault(kind="mail-tls-broken", count=1)
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake"):
        await running.send()
    await running.send()
    noted = [(entry["fault"], entry["answer"]) for entry in running.entries("smtp")]
    assert noted == [("mail-tls-name", None), (None, "handshake failed"), ("mail-tls-broken", None)]


async def test_a_client_that_trusts_nobody_of_ours_is_not_served(running: Running) -> None:
    running.trust = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        await running.send()


async def test_refused_connections_come_back_when_the_dial_goes_or_ends(running: Running) -> None:
    await running.send()
    dial = running.fault(kind="mail-refuse")
    await asyncio.sleep(0.05)
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await running.send()
    running.desk.faults.remove(dial)
    await asyncio.sleep(0.05)
    await running.send()
    running.fault(kind="mail-refuse", seconds=0.2)
    await asyncio.sleep(0.05)
    assert not running.relay.is_listening
    await asyncio.sleep(0.3)
    await running.send()


async def test_pages_escape_what_a_mail_brings(running: Running) -> None:
    client = await running.login()
    await client.send_message(letter("<b>太字</b>"), sender="shop@example.invalid", recipients=[BUYER])
    await client.quit()
    (mail,) = running.desk.mailbox.list()
    assert "<b>" not in inbox_page([mail], 1)
    assert "&lt;b&gt;太字" in inbox_page([mail], 1)
    assert "<script>" not in mail_page(mail)
    assert "&lt;script&gt;" in mail_page(mail)


async def test_passwords_stand_in_no_repr_and_no_journal(running: Running) -> None:
    await running.send()
    assert "canary" not in repr(running.desk.logins.list())
    assert "canary" not in json.dumps([entry.to_json() for entry in running.desk.journal.read().entries])
