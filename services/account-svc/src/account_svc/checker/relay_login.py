"""Tries an account's login at the marketplace's mail relay: connect, STARTTLS, AUTH, QUIT. No mail is sent."""

import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiosmtplib

from hanro.errors import NeedsSeller, Refusal
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import GrantState, MailRelay, PreflightRow

STEP_SECONDS = 8.0
RETRY = timedelta(seconds=30)
FIRST_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Relays:
    """Hold how relays are reached: `redirects` from "host:port" to "host:port", and whom TLS trusts."""

    redirects: Mapping[str, str]
    trust: ssl.SSLContext

    def address(self, relay: MailRelay) -> tuple[str, int]:
        """Give where to connect for a relay."""
        named = f"{relay.host}:{relay.port}"
        host, _, port = self.redirects.get(named, named).rpartition(":")
        return host, int(port)


async def probe(relays: Relays, plugin: Plugin, secrets: Secrets, grant_id: str, now: datetime) -> PreflightRow:
    """Give the row of an SMTP grant; a relay that cannot be reached says nothing of the login."""

    def row(
        state: GrantState, why: str, *, refusal: Refusal | None = None, retry_at: datetime | None = None
    ) -> PreflightRow:
        return PreflightRow(grant_id=grant_id, state=state, why=why, checked_at=now, refusal=refusal, retry_at=retry_at)

    try:
        relay = plugin.mail_relay(secrets)
    except NeedsSeller as error:
        # A shop that sends no mail leaves these fields empty; that is no refusal of the marketplace's.
        return row(GrantState.UNKNOWN, error.why)
    if relay is None:
        return row(GrantState.UNKNOWN, "This marketplace has no mail relay.")
    try:
        await _login(relays, relay)
    except aiosmtplib.SMTPAuthenticationError as error:
        refusal = Refusal(code=str(error.code), message=_without_secrets(error.message, relay))
        if error.code >= FIRST_PERMANENT:
            return row(GrantState.DENIED, "The mail relay refuses the login.", refusal=refusal)
        return row(GrantState.UNKNOWN, "The mail relay asks to come later.", refusal=refusal, retry_at=now + RETRY)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        why = f"The mail relay did not let us try the login ({type(error).__name__})."
        return row(GrantState.UNKNOWN, why, retry_at=now + RETRY)
    return row(GrantState.GRANTED, "The mail relay took the login.")


async def _login(relays: Relays, relay: MailRelay) -> None:
    host, port = relays.address(relay)
    client = aiosmtplib.SMTP(
        hostname=host, port=port, start_tls=False, use_tls=False, timeout=STEP_SECONDS, tls_context=relays.trust
    )
    await client.connect()
    try:
        # Without TLS the password would be readable on the way: no AUTH then.
        await client.starttls(server_hostname=host)
        await client.login(relay.username, relay.password)
        # The login was taken; how the goodbye goes changes nothing.
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit()
    finally:
        client.close()


def _without_secrets(message: str, relay: MailRelay) -> str:
    for secret in (relay.password, relay.username):
        message = message.replace(secret, "…")
    return message
