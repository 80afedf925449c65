"""Accepts a file that has come: whose it is, by which layout it is read, and whether its header is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hanro.db import Transaction
from hanro.errors import Rejected, Unsupported
from hanro.marketplace import CsvHeader, HeaderFault, read_header
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Absent, Capability, CsvLayout, MarketplaceId
from order_svc.domain.accounts import Account
from order_svc.domain.files import Splitter
from order_svc.domain.merging import Mode
from order_svc.imports.file_bytes import Upload
from order_svc.store import accounts as accounts_store
from order_svc.store import imports as store
from order_svc.store.imports import Import

Plugins = Mapping[MarketplaceId, Plugin]
MOST_NAMED = 50


class HeaderRefused(Exception):
    """Say which columns of a file's header are at fault; it is never empty."""

    def __init__(self, faults: Sequence[HeaderFault]) -> None:
        super().__init__("the header is refused")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Be what is to become of a file."""

    account_id: str
    mode: Mode
    is_dry_run: bool
    reserves_stock: bool


async def accept(
    tx: Transaction,
    plugins: Plugins,
    upload: Upload,
    asked: Asked,
    *,
    account_ids: Sequence[str] | None,
    by: str,
) -> Import:
    """Let a file be taken in; `account_ids` None: the caller may use all.

    Raises:
        Rejected: no such account for this caller (not-found); it is being unlinked (epoch-past).
        Unsupported: its marketplace has no order files (absent).
        HeaderRefused: the file is of no layout that is known here, or a column is missing or stands twice.
    """
    account = await accounts_store.find_account(tx, asked.account_id)
    if account is None or (account_ids is not None and account.id not in account_ids):
        raise Rejected("There is no such account.", code="not-found", field="account_id")
    if account.is_let_go:
        raise Rejected("The account is being unlinked, or is.", code="epoch-past")
    layouts = layouts_of(plugins, MarketplaceId(account.marketplace_id))
    try:
        header = read_header(layouts, _first_row(upload.head))
    except Rejected:
        raise HeaderRefused([HeaderFault(code="layout-unknown")]) from None
    if faults := [*header.faults, *_lost_by_overwriting(header, asked)]:
        raise HeaderRefused(faults)
    return await store.accept(tx, _row(account, upload, asked, header, by=by), upload.id)


def layouts_of(plugins: Plugins, marketplace_id: MarketplaceId) -> tuple[CsvLayout, ...]:
    """Give the order files of a marketplace that can be read.

    Raises:
        Unsupported: there are none (absent).
        Rejected: no such marketplace is installed (not-found).
    """
    plugin = plugins.get(marketplace_id)
    if plugin is None:
        raise Rejected("There is no such marketplace.", code="not-found")
    layouts = tuple(layout for layout in plugin.order_layouts if layout.read is not None)
    if layouts:
        return layouts
    support = plugin.capabilities.get(Capability.IMPORT_ORDERS)
    if isinstance(support, Absent):
        raise Unsupported(support.reason.en, code="absent", remedy=support.reason, menu=support.menu)
    raise Unsupported("No order file of this marketplace is known here.", code="absent")


def _first_row(head: bytes) -> bytes:
    splitter = Splitter()
    for record in (*splitter.feed(head), *splitter.end()):
        return record.raw
    return b""


def _lost_by_overwriting(header: CsvHeader, asked: Asked) -> list[HeaderFault]:
    """Refuse to overwrite by a file without some columns: what they would say would be cleared, not left alone."""
    if asked.mode == "update":
        return []
    return [HeaderFault(code="column-missing", column=name) for name in header.absent]


def _row(account: Account, upload: Upload, asked: Asked, header: CsvHeader, *, by: str) -> dict[str, object]:
    return {
        "account_id": account.id,
        "account_epoch": account.epoch,
        "marketplace_id": account.marketplace_id,
        "asked_by": by,
        "mode": asked.mode,
        "is_dry_run": asked.is_dry_run,
        "reserves_stock": asked.reserves_stock,
        "layout": header.layout.name,
        "layout_version": header.layout.version,
        "encoding": header.encoding,
        "columns": list(header.names),
        "unknown_columns": [name[:MOST_NAMED] for name in header.unknown[:MOST_NAMED]],
        "absent_columns": list(header.absent),
        "size_bytes": upload.size_bytes,
    }
