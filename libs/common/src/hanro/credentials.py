"""Asks account-svc for an account's secrets when they are used; fresh to 60 s, older only while it cannot be reached."""

from dataclasses import dataclass, field

from hanro.clock import Clock
from hanro.http import ServiceHttp
from hanro.marketplace.types import MarketplaceId, Secrets
from hanro.tokens import TokenSource


@dataclass(frozen=True, slots=True, kw_only=True)
class VendedSecrets:
    """Be what account-svc vends; `account_epoch` is the link that the secrets belong to."""

    secrets: Secrets = field(repr=False)
    account_epoch: int
    marketplace_id: MarketplaceId


class Vending:
    """Ask account-svc's internal vend route; `service` is who asks, `http` reaches its internal base URL."""

    def __init__(self, http: ServiceHttp, tokens: TokenSource, clock: Clock, *, service: str) -> None:
        raise NotImplementedError

    async def secrets(self, account_id: str, *, purpose: str = "work") -> VendedSecrets:
        """Give the account's secrets.

        Raises:
            NeedsSeller: the account is suspended or not yet active.
            Retryable: account-svc cannot be reached, and nothing young enough is known; code "unavailable".
            Rejected: the account is being unlinked; code "unlinking". Or it does not exist; code "not-found".
            ContractBroken: account-svc answered something else; code "unreadable".
        """
        raise NotImplementedError

    def forget(self, account_id: str) -> None:
        """Drop what is known of an account, because a fact on it arrived or its key was refused."""
        raise NotImplementedError
