"""The mail relay beside the marketplace: each shop's own login, its sender, masked recipients alone."""

import json
import smtplib
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

MASKED = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"


@dataclass(frozen=True)
class Relay:
    """Hold a simulator with its relay."""

    url: str
    port: int
    certificate_file: Path

    def control(self, path: str, method: str = "GET") -> Any:
        """Use a control of `/_sim`."""
        request = urllib.request.Request(f"{self.url}/_sim{path}", method=method)  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
            body = answer.read()
        return json.loads(body) if body else None


@dataclass(frozen=True)
class Login:
    """Hold a shop's access to the relay."""

    username: str
    password: str = field(repr=False)
    sender: str


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    certificate_file = tmp_path_factory.mktemp("relay") / "authority.pem"
    program = [sys.executable, "-m", "hanro_rakuten_ichiba.simulator", "--port", "0", "--smtp-port", "0"]
    process = subprocess.Popen(  # noqa: S603  our own program
        [*program, "--certificate-file", str(certificate_file)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        http, smtp = line.partition("http://")[2].split(", smtp ")
        yield Relay(f"http://{http}", int(smtp.rpartition(":")[2]), certificate_file)
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def login(relay: Relay) -> Login:
    relay.control("/reset", "POST")
    made = relay.control("/shops", "POST")
    return Login(made["smtp_username"], made["smtp_password"], made["sender_address"])


def _mail(sender: str, recipient: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, "ご注文ありがとうございます"
    mail.set_content("見本 花子 様")
    return mail


def _send(relay: Relay, username: str, password: str, sender: str, recipient: str) -> None:
    context = ssl.create_default_context(cafile=str(relay.certificate_file))
    with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
        client.starttls(context=context)
        client.login(username, password)
        client.send_message(_mail(sender, recipient), from_addr=sender, to_addrs=[recipient])


def test_a_shop_writes_to_a_masked_buyer(relay: Relay, login: Login) -> None:
    _send(relay, login.username, login.password, login.sender, MASKED)
    mails = relay.control("/mails")["mails"]
    assert [(mail["shop"], mail["envelope_sender"], mail["envelope_recipients"]) for mail in mails] == [
        ("999001", login.sender, [MASKED])
    ]


def test_another_sender_is_rejected(relay: Relay, login: Login) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        _send(relay, login.username, login.password, "other@example.invalid", MASKED)
    assert (refused.value.smtp_code, refused.value.smtp_error) == (
        552,
        b"5.2.0 <other@example.invalid> sender rejected",
    )


def test_an_open_address_is_rejected(relay: Relay, login: Login) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(relay, login.username, login.password, login.sender, "buyer@example.invalid")
    assert refused.value.recipients["buyer@example.invalid"][0] == 552
    assert relay.control("/mails")["mails"] == []


def test_a_wrong_password_is_535(relay: Relay, login: Login) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        _send(relay, login.username, login.password + "x", login.sender, MASKED)
    assert refused.value.smtp_code == 535


def test_a_login_is_gone_after_a_reset(relay: Relay, login: Login) -> None:
    relay.control("/reset", "POST")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        _send(relay, login.username, login.password, login.sender, MASKED)


def test_a_login_is_changed_issued_anew_and_revoked(relay: Relay, login: Login) -> None:
    for action in ("change", "issue", "revoke"):
        made = relay.control(f"/shops/999001/mail-login/{action}", "POST")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            _send(relay, login.username, login.password, login.sender, MASKED)
        assert (made["smtp_username"] == login.username) == (action != "issue")
        if action == "revoke":
            assert made["is_revoked"] is True
        else:
            login = Login(made["smtp_username"], made["smtp_password"], login.sender)
            _send(relay, login.username, login.password, login.sender, MASKED)
    assert len(relay.control("/mails")["mails"]) == 2


def test_what_rakuten_writes_to_the_shop_stands_in_the_inbox(relay: Relay, login: Login) -> None:
    wish = {"company": "見本開発株式会社", "start_day": "2026-06-03"}
    body = json.dumps(wish).encode()
    headers = {"Content-Type": "application/json"}
    url = f"{relay.url}/_sim/shops/999001/event-notification/apply"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  loopback
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
        assert answer.status == 201
    (mail,) = relay.control("/mails?recipient=owner999001@example.invalid")["mails"]
    assert mail["subject"] == "【楽天市場】開発企業様からのAPI利用申請 追加承認のお願い"
    assert "見本開発株式会社" in mail["body"]
    assert login.sender != mail["from"]
