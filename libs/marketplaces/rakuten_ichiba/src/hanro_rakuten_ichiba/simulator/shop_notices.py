"""Sends what the marketplace itself writes to a shop's staff, and keeps it beside the mails of buyers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from simkit.relay.mailbox import Mailbox

RLOGIN = "rlogin-info@mail.rakuten.com"
WEB_API = "webapi-info@mail.rakuten.com"


@dataclass(frozen=True)
class Notice:
    """State one mail of the marketplace to the shop's staff."""

    subject: str
    sender: str
    recipient: str
    body: str
    sent_at: datetime

    def to_json(self) -> dict[str, object]:
        """Give it as JSON."""
        return {
            "subject": self.subject,
            "from": self.sender,
            "to": self.recipient,
            "body": self.body,
            "sent_at": self.sent_at.isoformat(),
        }


def send(notices: list[Notice], notice: Notice, mailbox: Mailbox | None, shop: str) -> None:
    """Keep a mail with its shop, and in the inbox where a relay runs."""
    notices.append(notice)
    if mailbox is None:
        return
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = notice.sender
    message["To"] = notice.recipient
    message["Date"] = format_datetime(notice.sent_at.astimezone(UTC))
    message["Message-ID"] = f"<{shop}.{len(notices)}@mail.rakuten.com>"
    message.set_content(notice.body)
    mailbox.add(shop, notice.sender, (notice.recipient,), message.as_bytes(), notice.sent_at)
