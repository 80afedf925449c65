"""Letters: Japanese that arrives, headers that nothing breaks out of, texts that are never cut."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.errors import Rejected
from hanro.marketplace.types import LengthUnit, MailRelay, TextRule
from notifier_svc.mailer.letter import Letter, compose, mail_id_of

NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)
BUYER = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"
PLAIN = TextRule(max_length=None, unit=LengthUnit.CHARACTERS, charset="utf-8")
RELAY = MailRelay(
    host="sub.fw.example.invalid",
    port=587,
    username="123456",
    password="canary-password",
    sender="shop@example.invalid",
    recipients=r"[^@\s]+@[A-Za-z0-9-]+\.fw\.rakuten\.ne\.jp",
    subject=PLAIN,
    body=PLAIN,
    max_bytes=None,
)


def write(relay: MailRelay = RELAY, **changes: Any) -> Letter:
    texts = {"sender_name": "見本商店", "recipient": BUYER, "subject": "ご注文", "body": "見本 花子 様\n"}
    return compose(relay, mail_id="<msg_1@example.invalid>", at=NOON, **{**texts, **changes})


def read(letter: Letter) -> tuple[str, str]:
    message = message_from_bytes(letter.content, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return str(message["Subject"]), body.get_content().replace("\r\n", "\n")


AWKWARD = "①髙㈱〜 ﾊﾝｶｸ 𠮷野家 émigré €"


def test_awkward_characters_arrive_in_subject_and_body() -> None:
    letter = write(subject=f"ご注文ありがとうございます {AWKWARD}" * 4, body=f"{AWKWARD}\n.\n.点\nFrom 行\n")
    assert read(letter) == (f"ご注文ありがとうございます {AWKWARD}" * 4, f"{AWKWARD}\n.\n.点\nFrom 行\n")
    assert all(len(line) <= 78 for line in letter.content.split(b"\r\n"))
    assert b"\n" not in letter.content.replace(b"\r\n", b"")
    assert letter.content.isascii()


def test_a_relay_that_wants_iso_2022_jp_gets_it() -> None:
    rule = replace(PLAIN, charset="iso2022_jp")
    letter = write(replace(RELAY, subject=rule, body=rule), subject="ご注文" * 20, body="ありがとうございます\n")
    assert read(letter) == ("ご注文" * 20, "ありがとうございます\n")
    assert b'charset="iso-2022-jp"' in letter.content
    assert b"=?iso-2022-jp?" in letter.content


def test_the_headers_name_sender_recipient_time_and_a_fixed_id() -> None:
    message = message_from_bytes(write().content, policy=policy.default)
    assert str(message["From"]) == "見本商店 <shop@example.invalid>"
    assert (message["To"], message["Message-ID"]) == (BUYER, "<msg_1@example.invalid>")
    assert message["Date"] == "Mon, 11 May 2026 03:00:00 +0000"
    assert mail_id_of("msg_1", "shop@example.invalid") == "<msg_1@example.invalid>"
    assert write().content == write().content


@pytest.mark.parametrize("breaker", ["\r\nBcc: all@example.invalid", "\n", "\r", "\x00", "\u2028", "\x85"])
@pytest.mark.parametrize("place", ["subject", "sender_name", "recipient"])
def test_nothing_breaks_out_of_a_header(place: str, breaker: str) -> None:
    with pytest.raises(Rejected) as refused:
        write(RELAY, **{place: f"a{breaker}b" if place != "recipient" else f"{BUYER}{breaker}x"})
    assert refused.value.code == "header-malformed"
    assert "Bcc" not in refused.value.why


@given(st.text(max_size=120))
def test_any_subject_arrives_whole_or_is_refused(text: str) -> None:
    try:
        letter = write(subject=f"題{text}題")
    except Rejected:
        return
    message = message_from_bytes(letter.content, policy=policy.compat32)
    assert set(message.keys()) == {
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "From", "To"),
        *("Subject", "Date", "Message-ID", "Auto-Submitted"),
    }
    assert read(letter)[0] == f"題{text}題"


def test_mail_goes_to_addresses_that_the_relay_takes_alone() -> None:
    with pytest.raises(Rejected) as refused:
        write(recipient="hanako@example.invalid")
    assert (refused.value.code, refused.value.field) == ("recipient-refused", "recipient")
    assert "hanako" not in refused.value.why


def test_a_mail_larger_than_the_relay_takes_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        write(replace(RELAY, max_bytes=1000), body="長" * 1000)
    assert refused.value.code == "text-too-long"


def test_a_letter_shows_no_buyer() -> None:
    assert BUYER not in repr(write())
