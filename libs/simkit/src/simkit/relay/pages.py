"""Draws the inbox for people: newest first, everything that a mail brought escaped."""

from collections.abc import Iterable
from html import escape

from simkit.relay.mailbox import Mail, read_content

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:1rem}"
)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def inbox_page(mails: Iterable[Mail], total: int) -> str:
    """Draw the list of `mails` in the given order; `total` is how many the relay holds."""
    rows = []
    for mail in mails:
        content = read_content(mail)
        rows.append(
            f'<tr><td><a href="inbox/{mail.id}">{mail.id}</a></td>'
            f"<td>{escape(mail.received_at.strftime('%Y-%m-%d %H:%M:%S'))} UTC</td>"
            f"<td>{escape(mail.shop)}</td><td>{escape(', '.join(mail.recipients))}</td>"
            f'<td><a href="inbox/{mail.id}">{escape(content.subject) or "(no subject)"}</a></td></tr>'
        )
    table = (
        "<table><thead><tr><th>no.</th><th>received</th><th>shop</th><th>to</th><th>subject</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return _page("Inbox", f"<p>{total} mails</p>{table if rows else '<p>No mail yet.</p>'}")


def mail_page(mail: Mail) -> str:
    """Draw one mail: envelope, decoded headers, body as text, the raw message."""
    content = read_content(mail)
    fields = {
        "received": f"{mail.received_at.strftime('%Y-%m-%d %H:%M:%S')} UTC",
        "shop": mail.shop,
        "envelope from": mail.sender,
        "envelope to": ", ".join(mail.recipients),
        "from": content.author,
        "to": content.to,
        "subject": content.subject,
        "message id": content.message_id,
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in fields.items())
    raw = escape(mail.raw.decode("utf-8", errors="replace"))
    return _page(
        content.subject or "(no subject)",
        f'<p><a href="../inbox">Inbox</a></p><table>{rows}</table><pre>{escape(content.body)}</pre>'
        f"<details><summary>raw message</summary><pre>{raw}</pre></details>",
    )
