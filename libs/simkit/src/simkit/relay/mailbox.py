"""Keeps the mails that the relay took, newest numbers last, in memory and in a folder when one is given."""

import base64
import email
import email.parser
import email.policy
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path


@dataclass(frozen=True)
class Mail:
    """State one mail that was taken: envelope, raw message as received, time of the simulator's clock."""

    id: int
    shop: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    received_at: datetime

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the raw message, hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True)
class Content:
    """State what a reader sees; a header that is absent is an empty text."""

    subject: str
    author: str
    to: str
    message_id: str
    body: str


def read_content(mail: Mail) -> Content:
    """Decode headers and the readable part, plain text before HTML; what cannot be decoded shows as U+FFFD."""
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    part = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    body = ""
    if part is not None:
        octets = part.get_payload(decode=True)
        if isinstance(octets, bytes):
            try:
                body = octets.decode(part.get_content_charset("utf-8"), errors="replace")
            except LookupError:
                body = octets.decode("utf-8", errors="replace")
    return Content(
        subject=str(message.get("Subject", "")),
        author=str(message.get("From", "")),
        to=str(message.get("To", "")),
        message_id=str(message.get("Message-ID", "")).strip(),
        body=body.replace("\r\n", "\n"),
    )


@dataclass(frozen=True)
class Heading:
    """State what a relay looks at before it takes a mail: the addresses of From (none when absent), the media type."""

    authors: tuple[str, ...]
    media_type: str


def read_heading(raw: bytes) -> Heading:
    """Read the header of a raw message."""
    header = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw)
    authors = getaddresses([str(value) for value in header.get_all("From", [])])
    return Heading(tuple(address for _, address in authors), header.get_content_type())


def mail_to_json(mail: Mail) -> dict[str, object]:
    """Give a mail as JSON: envelope, raw message in base64, decoded content."""
    content = read_content(mail)
    return {
        "id": mail.id,
        "shop": mail.shop,
        "received_at": mail.received_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "envelope_sender": mail.sender,
        "envelope_recipients": list(mail.recipients),
        "subject": content.subject,
        "from": content.author,
        "to": content.to,
        "message_id": content.message_id,
        "body": content.body,
        "raw_base64": base64.b64encode(mail.raw).decode("ascii"),
        "sha256": mail.digest,
    }


def _read_kept(file: Path) -> list[Mail]:
    mails: list[Mail] = []
    if not file.exists():
        return mails
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            kept = json.loads(line)
        except ValueError:
            # A process killed while it wrote this line had not answered 250 either.
            continue
        mails.append(
            Mail(
                id=kept["id"],
                shop=kept["shop"],
                sender=kept["envelope_sender"],
                recipients=tuple(kept["envelope_recipients"]),
                raw=base64.b64decode(kept["raw_base64"]),
                received_at=datetime.fromisoformat(kept["received_at"]),
            )
        )
    return mails


class Mailbox:
    """Hold mails; ids count from 1.

    With `directory`, every mail is written to `mails.jsonl` (as `mail_to_json`) and to `<id>.eml` before it counts as
    taken, and a mailbox opened on the folder again holds the same mails.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._mails: list[Mail] = []
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._mails = _read_kept(directory / "mails.jsonl")
        self._last_id = self._mails[-1].id if self._mails else 0

    def __len__(self) -> int:
        return len(self._mails)

    def add(self, shop: str, sender: str, recipients: tuple[str, ...], raw: bytes, received_at: datetime) -> Mail:
        """Keep a mail under the next id."""
        self._last_id += 1
        mail = Mail(self._last_id, shop, sender, recipients, raw, received_at)
        if self._directory is not None:
            (self._directory / f"{mail.id:08d}.eml").write_bytes(raw)
            file = self._directory / "mails.jsonl"
            with file.open("a+b") as kept:
                if kept.tell() > 0:
                    kept.seek(-1, 2)
                    if kept.read(1) != b"\n":
                        kept.write(b"\n")
                kept.write(json.dumps(mail_to_json(mail), ensure_ascii=True).encode("ascii") + b"\n")
        self._mails.append(mail)
        return mail

    def find(self, mail_id: int) -> Mail | None:
        """Give the mail of that id, None when there is none."""
        return next((mail for mail in self._mails if mail.id == mail_id), None)

    def list(self, after: int = 0, limit: int = 100, recipient: str | None = None) -> tuple[Mail, ...]:
        """Give up to `limit` mails with an id over `after`, oldest first."""
        found = (
            mail
            for mail in self._mails
            if mail.id > after and (recipient is None or recipient.casefold() in map(str.casefold, mail.recipients))
        )
        return tuple(mail for mail, _ in zip(found, range(limit), strict=False))

    def newest(self, limit: int = 200) -> tuple[Mail, ...]:
        """Give up to `limit` mails, newest first."""
        return tuple(reversed(self._mails[-limit:]))

    def clear(self) -> None:
        """Forget all mails, those in the folder too; ids go on."""
        self._mails.clear()
        if self._directory is not None:
            (self._directory / "mails.jsonl").unlink(missing_ok=True)
            for file in self._directory.glob("*.eml"):
                file.unlink()
