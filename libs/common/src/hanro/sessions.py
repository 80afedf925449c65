"""Joins a plug-in, its secrets, the transport and the pace into the port's `Session`, for one piece of work."""

from collections.abc import Mapping
from dataclasses import dataclass

from hanro.clock import Clock
from hanro.credentials import Heard, Vending
from hanro.db import Database
from hanro.due import Lease
from hanro.errors import LocalizedText, Unsupported
from hanro.http import Transport
from hanro.marketplace.port import Plugin, Secrets, Session
from hanro.marketplace.types.plain import MarketplaceId
from hanro.pacer import Pacing


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
    """Be a session with what its work must remember: the plug-in, and the epoch that gates outward effects.

    `session.secrets.version` is the credential's version, for access reports.
    """

    plugin: Plugin
    session: Session
    account_epoch: int


async def open_session(
    outside: Outside,
    vending: Vending,
    account_id: str,
    *,
    heard: Heard | None,
    purpose: str,
    lease: Lease | None = None,
) -> OpenSession:
    """Open a session with secrets that account-svc vends; `heard` and further errors are those of `Vending.secrets`.

    Raises:
        Unsupported: no plug-in of that marketplace is installed here, or none has its base URL; code "absent".
    """
    vended = await vending.secrets(account_id, heard=heard, purpose=purpose)
    plugin = outside.plugins.get(vended.marketplace_id)
    if plugin is None:
        raise _absent(vended.marketplace_id)
    session = session_with(outside, plugin, vended.secrets, account_id, lease=lease)
    return OpenSession(plugin=plugin, session=session, account_epoch=vended.account_epoch)


def session_with(
    outside: Outside,
    plugin: Plugin,
    secrets: Secrets,
    account_id: str,
    *,
    lease: Lease | None = None,
    is_alone: bool = False,
    is_probing: bool = False,
    is_trial: bool = False,
) -> Session:
    """Join a session from secrets at hand; account-svc has its own. The flags are those of `Pacing`.

    Raises:
        Unsupported: the marketplace has no base URL here; code "absent".
    """
    if not outside.transport.reaches(plugin.id):
        raise _absent(plugin.id)
    return Session(
        secrets=secrets,
        http=outside.transport.session_http(
            plugin.id, account_id, lease=lease, call_deadline=plugin.limits.call_deadline
        ),
        pacer=Pacing(
            outside.db,
            outside.clock,
            plugin.limits,
            outside.service,
            account_id,
            is_alone=is_alone,
            is_probing=is_probing,
            is_trial=is_trial,
        ),
        clock=outside.clock,
    )


def _absent(marketplace_id: MarketplaceId) -> Unsupported:
    return Unsupported(
        f"The marketplace {marketplace_id} is not installed here.",
        code="absent",
        remedy=LocalizedText(
            ja="このモールのプラグインと接続先URLを設定してください。",
            en="Install the marketplace's plug-in and configure its base URL.",
        ),
    )
