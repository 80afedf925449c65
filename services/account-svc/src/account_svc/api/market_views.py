"""Shows what a seller set up at a marketplace, and what changed in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from account_svc.accounts.market_entries import MarketPicture, can_be_typed
from account_svc.api.market_shapes import (
    MarketAbsenceShown,
    MarketChangeShown,
    MarketEntryShown,
    MarketFailureShown,
    MarketInformationShown,
    MarketKindShown,
    TypedEntryBody,
)
from account_svc.api.texts import show_menu, show_text
from account_svc.store.market import StoredFailure, StoredKind
from account_svc.store.market_changes import StoredChange
from hanro.errors import LocalizedText
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, MarketEntry, MarketKind, Supported

LABELS: Mapping[MarketKind, LocalizedText] = {
    MarketKind.SHOP: LocalizedText(ja="店舗", en="shop"),
    MarketKind.COMPANY_ADDRESS: LocalizedText(ja="会社の住所", en="company address"),
    MarketKind.RETURN_ADDRESS: LocalizedText(ja="返品・交換先の住所", en="return and exchange address"),
    MarketKind.SHIP_FROM: LocalizedText(ja="出荷元", en="place of shipping"),
    MarketKind.SHIPPING_GROUP: LocalizedText(ja="配送方法グループ", en="shipping group"),
    MarketKind.SHIPPING_AREA: LocalizedText(ja="配送地域", en="shipping area"),
    MarketKind.SHIPPING_MODE: LocalizedText(ja="送料区分", en="shipping mode"),
    MarketKind.DELIVERY_DATE: LocalizedText(ja="納期", en="delivery date"),
    MarketKind.LEAD_TIME: LocalizedText(ja="出荷リードタイム", en="lead time"),
    MarketKind.CALENDAR: LocalizedText(ja="営業カレンダー", en="calendar"),
    MarketKind.CATEGORY: LocalizedText(ja="店舗内カテゴリ", en="shop category"),
    MarketKind.BRAND: LocalizedText(ja="ブランド", en="brand"),
    MarketKind.SUB_STATUS: LocalizedText(ja="サブステータス", en="sub-status"),
}


def show_market(picture: MarketPicture, plugin: Plugin | None) -> MarketInformationShown:
    """Show all kinds, in the port's order; the guide is what the plug-in says of reading it."""
    support = plugin.capabilities[Capability.MARKET_INFORMATION] if plugin else None
    guide = support.note if isinstance(support, Supported) else None
    read = picture.read
    return MarketInformationShown(
        account_id=picture.account.id,
        read_at=read.read_at,
        is_refreshing=picture.is_refreshing,
        failure=_show_failure(read.failure, read.failed_at),
        guide=show_text(guide) if guide else None,
        kinds=[_show_kind(picture, kind) for kind in MarketKind],
    )


def show_entry(entry: MarketEntry) -> MarketEntryShown:
    """Show one entry."""
    return MarketEntryShown(
        external_id=entry.external_id,
        name=entry.name,
        is_default=entry.is_default,
        parent_id=entry.parent_id,
        details=dict(entry.details),
    )


def show_change(stored: StoredChange) -> MarketChangeShown:
    """Show one change of the history."""
    change = stored.change
    return MarketChangeShown(
        kind=change.kind,
        label=show_text(LABELS[change.kind]),
        what=change.what,
        external_id=change.external_id,
        name=change.name,
        old_name=change.old_name,
        fields=list(change.fields),
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )


def read_entry(kind: MarketKind, typed: TypedEntryBody) -> MarketEntry:
    """Give the entry that was typed; the parts of its address stand among its details."""
    address = typed.address.model_dump(exclude_none=True) if typed.address else {}
    return MarketEntry(
        kind=kind,
        external_id=typed.external_id,
        name=typed.name,
        is_default=typed.is_default,
        details={**typed.details, **address},
    )


def _show_kind(picture: MarketPicture, kind: MarketKind) -> MarketKindShown:
    known = picture.kinds.get(kind)
    absent = known.absent if known else None
    return MarketKindShown(
        kind=kind,
        label=show_text(LABELS[kind]),
        status=_status(known),
        known_at=known.known_at if known else None,
        can_be_typed=can_be_typed(known),
        entry_count=picture.counts.get(kind, 0),
        entries=[show_entry(entry) for entry in picture.entries if entry.kind is kind],
        absent=MarketAbsenceShown(reason=show_text(absent.reason), menu=show_menu(absent.menu) if absent.menu else None)
        if absent
        else None,
        failure=_show_failure(known.failure, known.failed_at) if known else None,
    )


def _status(known: StoredKind | None) -> Literal["read", "typed", "absent", "failed", "unknown"]:
    if known is None:
        return "unknown"
    if known.failure is not None:
        return "failed"
    if known.is_typed:
        return "typed"
    if known.absent is not None:
        return "absent"
    return "read"


def _show_failure(failure: StoredFailure | None, at: datetime | None) -> MarketFailureShown | None:
    if failure is None or at is None:
        return None
    return MarketFailureShown(
        code=failure.code,
        text=failure.why,
        grant_id=failure.grant_id,
        remedy=show_text(failure.remedy) if failure.remedy else None,
        menu=show_menu(failure.menu) if failure.menu else None,
        at=at,
    )
