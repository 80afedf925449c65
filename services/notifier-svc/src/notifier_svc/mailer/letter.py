"""Writes a mail: headers that no value can break out of, Japanese that every reader shows."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import charset as charsets
from email.header import Header
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr

from hanro.errors import Rejected
from hanro.marketplace import fit
from hanro.marketplace.types import MailRelay, TextRule

# Printable ASCII without what would need quoting: all that marketplaces hand out and let register.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_BODY = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_POLICY = compat32.clone(linesep="\r\n", max_line_length=76)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Be a mail ready to go: envelope and content, lines ended by CR LF."""

    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


def compose(
    relay: MailRelay, *, sender_name: str, recipient: str, subject: str, body: str, mail_id: str, at: datetime
) -> Letter:
    """Write a mail by the relay's rules; `mail_id` is the Message-ID with its brackets.

    Raises:
        Rejected: an address that is none, or that the relay does not take (recipient-refused); a line break or control
            character where none may be (header-malformed, text-malformed); a text that is too long or holds what may
            not be sent (text-too-long, text-unencodable), with the field. No value stands in the error.
    """
    for name, address in (("sender", relay.sender), ("recipient", recipient)):
        if not _ADDRESS.fullmatch(address):
            raise Rejected(f"The {name} is no mail address.", code="header-malformed", field=name)
    if not re.fullmatch(relay.recipients, recipient):
        raise Rejected("The relay takes no mail for this address.", code="recipient-refused", field="recipient")
    subject = fit(subject.strip(), relay.subject, "subject")
    body = fit(body.replace("\r\n", "\n"), relay.body, "body")
    for name, text in (("subject", subject), ("sender", sender_name), ("mail_id", mail_id)):
        if _CONTROL.search(text):
            raise Rejected("A line break or control character stands in a header.", code="header-malformed", field=name)
    if _CONTROL_IN_BODY.search(body):
        raise Rejected("A control character stands in the text.", code="text-malformed", field="body")
    headers = {
        "From": formataddr((sender_name, relay.sender), charset="utf-8"),
        "To": recipient,
        "Subject": Header(subject, _encoding(relay.subject), maxlinelen=75, header_name="Subject").encode(),
        "Date": format_datetime(at),
        "Message-ID": mail_id,
        "Auto-Submitted": "auto-generated",
    }
    content = _content(headers, body, _encoding(relay.body))
    if relay.max_bytes is not None and len(content) > relay.max_bytes:
        raise Rejected("The mail is larger than the relay takes.", code="text-too-long", field="body")
    return Letter(sender=relay.sender, recipient=recipient, content=content)


def mail_id_of(message_id: str, sender: str) -> str:
    """Give a message's Message-ID: ours, at the sender's domain."""
    return f"<{message_id}@{sender.rpartition('@')[2]}>"


def _content(headers: Mapping[str, str], body: str, encoding: str) -> bytes:
    part = MIMENonMultipart("text", "plain", policy=_POLICY)
    for name, text in headers.items():
        part[name] = text
    written = charsets.Charset(encoding)
    # Base64 for both: no line gets too long, and no relay changes one that begins with a dot.
    written.body_encoding = charsets.BASE64
    part.set_payload(body.replace("\n", "\r\n"), written)
    return part.as_bytes(policy=_POLICY)


def _encoding(rule: TextRule) -> str:
    # A marketplace that states ISO-2022-JP cannot show anything else; all others read UTF-8.
    return "iso-2022-jp" if codecs.lookup(rule.charset).name.startswith("iso2022_jp") else "utf-8"
