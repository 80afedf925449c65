"""What the relay keeps over a restart: mails and its authority."""

import json
from datetime import UTC, datetime
from pathlib import Path

from simkit.relay.certificates import keep_authority
from simkit.relay.mailbox import Mail, Mailbox, read_content

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def test_a_mailbox_opened_again_holds_the_same_mails_and_counts_on(tmp_path: Path) -> None:
    first = Mailbox(tmp_path)
    first.add("1", "shop@example.invalid", ("a@pc.fw.rakuten.ne.jp",), b"Subject: a\r\n\r\nb\r\n", NOW)
    second = Mailbox(tmp_path)
    assert second.list() == first.list()
    assert second.add("1", "s@example.invalid", (), b"", NOW).id == 2
    assert (tmp_path / "00000001.eml").read_bytes() == b"Subject: a\r\n\r\nb\r\n"


def test_a_line_that_a_kill_tore_is_no_mail_and_harms_no_other(tmp_path: Path) -> None:
    Mailbox(tmp_path).add("1", "s@example.invalid", (), b"first", NOW)
    with (tmp_path / "mails.jsonl").open("ab") as torn:
        torn.write(b'{"id":2,"sh')
    second = Mailbox(tmp_path)
    second.add("1", "s@example.invalid", (), b"second", NOW)
    assert [mail.raw for mail in Mailbox(tmp_path).list()] == [b"first", b"second"]


def test_clearing_removes_the_files_and_counts_on(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.add("1", "s@example.invalid", (), b"first", NOW)
    mailbox.clear()
    assert list(tmp_path.iterdir()) == []
    assert mailbox.add("1", "s@example.invalid", (), b"x", NOW).id == 2


def test_mails_are_paged_and_found_by_recipient() -> None:
    mailbox = Mailbox()
    for number in range(5):
        mailbox.add("1", "s@example.invalid", (f"b{number % 2}@example.invalid",), b"", NOW)
    assert [mail.id for mail in mailbox.list(after=1, limit=2)] == [2, 3]
    assert [mail.id for mail in mailbox.list(recipient="B1@example.invalid")] == [2, 4]
    assert [mail.id for mail in mailbox.newest(2)] == [5, 4]


def test_content_is_decoded_from_iso_2022_jp_and_survives_nonsense() -> None:
    raw = b"Subject: =?iso-2022-jp?B?GyRCJDRDbUo4GyhC?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    mail = Mail(1, "1", "", (), raw + "見本".encode("iso-2022-jp"), NOW)
    assert (read_content(mail).subject, read_content(mail).body) == ("ご注文", "見本")
    strange = Mail(1, "1", "", (), b"Content-Type: text/plain; charset=nowhere\r\n\r\n\xff\xfe", NOW)
    assert read_content(strange).body == "\ufffd\ufffd"
    assert json.dumps(read_content(Mail(1, "1", "", (), b"\x00\xff", NOW)).body)


def test_the_authority_is_taken_up_again_and_its_key_is_private(tmp_path: Path) -> None:
    file = tmp_path / "trust" / "authority.pem"
    first = keep_authority(file)
    assert keep_authority(file).certificate == first.certificate
    assert (tmp_path / "trust" / "authority.pem.key").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in file.read_bytes()
