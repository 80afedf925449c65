"""Joins a plug-in, its secrets, the transport and the pace into the port's `Session`, for one piece of work."""

from collections.abc import Mapping
from dataclasses import dataclass

from hanro.clock import Clock
from hanro.credentials import Vending
from hanro.db import Database
from hanro.due import Lease
from hanro.http import Transport
from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import MarketplaceId, Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Hold what a process needs to reach marketplaces; made once in `app.py`. `service` is for example "order-svc"."""

    plugins: Mapping[MarketplaceId, Plugin]
    transport: Transport
    db: Database
    clock: Clock
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """Be a session with what its work must remember: the plug-in, and the epoch that gates outward effects."""

    plugin: Plugin
    session: Session
    account_epoch: int


async def open_session(
    outside: Outside, vending: Vending, account_id: str, *, purpose: str, lease: Lease | None = None
) -> OpenSession:
    """Open a session with secrets that account-svc vends; errors are those of `Vending.secrets`.

    Raises:
        Unsupported: no plug-in of that marketplace is installed, or it has no base URL; code "absent".
    """
    raise NotImplementedError


def session_with(
    outside: Outside,
    plugin: Plugin,
    secrets: Secrets,
    account_id: str,
    *,
    lease: Lease | None = None,
    is_alone: bool = False,
    is_probing: bool = False,
) -> Session:
    """Join a session from secrets at hand; account-svc has its own. The flags are those of `Pacing`."""
    raise NotImplementedError
