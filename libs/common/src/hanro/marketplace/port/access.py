"""States how a plug-in tells what an account may do there."""

from typing import Protocol

from hanro.marketplace.types.linking import KeyExpiry, MarketInformation, PreflightRow, Renewed


class Access(Protocol):
    """Ask for grants and expiries, mint keys, read what the seller set up there. Caller: account-svc."""

    async def probe(self, grant_id: str) -> PreflightRow:
        """Ask for one grant by one request that changes nothing (READ, REFUSED).

        NONE is UNKNOWN; SMTP is account-svc's own, through `mail_relay`. A refusal is a row, not an error: DENIED if it
        can mean nothing else, PENDING while a key settles. Groups are probed side by side, all within 30 s.

        Raises:
            Retryable: throttled or unavailable; nothing is known of the grant.
            ContractBroken: an answer that is not as documented (unreadable).
            ValueError: no such grant.
        """

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        """Tell when each secret ends: READ there, or COMPUTED from `stored_at`.

        A look-up that fails raises; it is an alarm of its own.

        Raises:
            Retryable: throttled or unavailable.
            NeedsSeller: key refused, or the look-up is not granted.
            ContractBroken: an answer that is not as documented (unreadable).
            Unsupported: KEY_EXPIRY is absent.
        """

    async def renew(self) -> Renewed:
        """Mint what a machine can mint; may be repeated, older ones live to their end [?].

        Raises:
            Retryable: throttled or unavailable.
            NeedsSeller: login or API key refused.
            Unsupported: RENEW_KEY is absent.

        Source: qoo10-japan 1.2.
        """

    async def market_information(self) -> MarketInformation:
        """Read all kinds of what the seller set up there.

        One whose grant is missing goes to `failed`, the others come.

        Raises:
            Retryable: throttled or unavailable before any kind was read.
            NeedsSeller: key refused.
            Unsupported: MARKET_INFORMATION is absent.
        """
