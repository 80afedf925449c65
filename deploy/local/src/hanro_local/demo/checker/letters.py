"""Writes the mail that each order must have led to, from the marketplace's own tree, and reads the mails that came."""

import base64
import email
import email.policy
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any

JAPAN = timezone(timedelta(hours=9))
NOT_DECIDED = -9999


@dataclass(frozen=True)
class Letter:
    """Be a mail as its reader sees it; lines end with a line feed."""

    recipients: tuple[str, ...]
    subject: str
    body: str


def expected_letter(tree: dict[str, Any], shop_name: str) -> Letter:
    """Write the mail for a new order from the tree that the marketplace holds."""
    orderer = tree["OrdererModel"]
    placed_at = datetime.strptime(tree["orderDatetime"], "%Y-%m-%dT%H:%M:%S%z").astimezone(JAPAN)
    items = [item for package in tree["PackageModelList"] for item in package["ItemModelList"]]
    rows = [
        f"{place}. {item['itemName']} {item['price']:,}円 × {item['units']}"
        for place, item in enumerate(items, start=1)
    ]
    text = [
        f"{orderer['familyName']} {orderer['firstName']} 様",
        "",
        f"{shop_name}です。ご注文をお受けしました。",
        "",
        f"注文番号: {tree['orderNumber']}",
        f"注文日時: {placed_at:%Y-%m-%d %H:%M}",
        "",
        *rows,
        "",
        f"商品: {tree['goodsPrice']:,}円",
        f"送料: {_yen(tree['postagePrice'])}",
        f"お支払い: {_yen(tree['requestPrice'])}",
        "",
        "またのご来店をお待ちしております。 ｻﾝﾌﾟﾙ表示№1",
        "",
    ]
    return Letter(
        recipients=(orderer["emailAddress"],),
        subject=f"【{shop_name}】ご注文ありがとうございます（{tree['orderNumber']}）",
        body="\n".join(text),
    )


def read_letter(mail: dict[str, Any]) -> Letter:
    """Decode a mail of the sink from its raw bytes; the reader's address must stand in envelope and header alike.

    Raises:
        ValueError: it is no plain text that can be decoded, or its header names other readers than its envelope.
    """
    message = email.message_from_bytes(base64.b64decode(mail["raw_base64"]), policy=email.policy.default)
    if not isinstance(message, EmailMessage) or message.get_content_type() != "text/plain" or message.defects:
        raise ValueError(f"mail {mail['id']} is no plain text")
    octets = message.get_payload(decode=True)
    if not isinstance(octets, bytes):
        raise ValueError(f"mail {mail['id']} has no body")  # noqa: TRY004  what came is wrong, not a type of ours
    recipients = tuple(mail["envelope_recipients"])
    if recipients != (str(message["To"]),):
        raise ValueError(f"mail {mail['id']} names {message['To']} and went to {', '.join(recipients)}")
    return Letter(
        recipients=recipients,
        subject=str(message["Subject"]),
        body=octets.decode(str(message.get_content_charset("ascii")), errors="strict").replace("\r\n", "\n"),
    )


def _yen(amount: int) -> str:
    return "確認中" if amount == NOT_DECIDED else f"{amount:,}円"
