"""Keeps accounts' application sheets: sealed, for they name a person, and gone once the account is unlinked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from account_svc.accounts import audit
from account_svc.domain.accounts import Account
from account_svc.domain.transitions import Deed, require
from account_svc.store import sheets as store
from account_svc.store.sheets import StoredSheet
from hanro import crypto
from hanro.crypto import CannotOpen, KeyMissing, Keyring
from hanro.db import Transaction
from hanro.errors import ContractBroken, LocalizedText, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.marketplace import Fault, check_fields
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import ApplicationSheet

TABLE = "application_sheets"
FIELD = "sealed"
SCHEMA = "account"
FILLED = "fill-application-sheet"
SENT = "send-application-sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSheet:
    """Be a sheet with what was typed into it; empty and without `stored` where nothing was yet."""

    form: ApplicationSheet
    values: Mapping[str, str] = field(repr=False)
    stored: StoredSheet | None


class SheetMalformed(Exception):
    """What was typed cannot be sent; `faults` name the fields, nothing was stored."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("an application sheet is malformed: " + ", ".join(fault.field for fault in faults))
        self.faults = faults


def form_of(plugin: Plugin) -> ApplicationSheet:
    """Give the sheet's form.

    Raises:
        Unsupported: nobody applies to this marketplace by a sheet; code "absent".
    """
    if plugin.guide.sheet is None:
        raise Unsupported(
            "Nobody applies to this marketplace by a sheet.",
            code="absent",
            remedy=LocalizedText(
                ja="このモールに申請シートはありません。ガイドの手順に進んでください。",
                en="There is no application sheet here: follow the steps of the guide.",
            ),
        )
    return plugin.guide.sheet


async def get_sheet(tx: Transaction, keyring: Keyring, account: Account, plugin: Plugin) -> OpenSheet:
    """Open an account's sheet.

    Raises:
        Unsupported: the marketplace has none; code "absent".
        Retryable: the key-encryption key is not mounted here; code "unavailable".
        ContractBroken: what is stored cannot be opened; code "unreadable".
    """
    form, stored = form_of(plugin), await store.find_sheet(tx, account.id)
    return OpenSheet(form=form, values=_open(keyring, stored) if stored else {}, stored=stored)


async def save(
    tx: Transaction,
    keyring: Keyring,
    account: Account,
    plugin: Plugin,
    values: Mapping[str, str],
    *,
    by: str,
    at: datetime,
) -> OpenSheet:
    """Store a sheet of an account that is locked; the same again raises no version.

    Raises:
        NotNow: the account's state does not allow it.
        Unsupported: the marketplace has none; code "absent".
        SheetMalformed: a field is missing or of the wrong kind.
    """
    require(account, Deed.DESCRIBE)
    form = form_of(plugin)
    faults = check_fields(form.fields, values, at.astimezone(plugin.zone).date())
    if faults:
        raise SheetMalformed(faults)
    before = await store.find_sheet(tx, account.id)
    kept = {name: value for name, value in values.items() if value}
    known = _reopen(keyring, before) if before is not None else {}
    if before is not None and known == kept:
        return OpenSheet(form=form, values=kept, stored=before)
    version = before.version + 1 if before else 1
    sealed = crypto.seal(
        keyring,
        json.dumps(kept, ensure_ascii=False).encode(),
        schema=SCHEMA,
        table=TABLE,
        row_id=account.id,
        field=FIELD,
        version=version,
    )
    await store.save_sheet(
        tx, StoredSheet(account_id=account.id, version=version, sealed=sealed, changed_at=at, changed_by=by)
    )
    changed = [field.name for field in form.fields if kept.get(field.name) != (known or {}).get(field.name)]
    await audit.note(tx, FILLED, account_id=account.id, shop_ids=account.shop_ids, changed=changed)
    return OpenSheet(form=form, values=kept, stored=await store.find_sheet(tx, account.id))


async def note_sent(
    tx: Transaction, keyring: Keyring, account: Account, plugin: Plugin, *, by: str, at: datetime
) -> OpenSheet:
    """Note that the mail of an account that is locked was sent; the date of the first sending of a version stays.

    Raises:
        NeedsSeller: nothing was filled in yet; code "sheet-missing".
        Rejected: it was sent before it was filled in, as `at` says; code "time-impossible".
    """
    require(account, Deed.DESCRIBE)
    form_of(plugin)
    stored = await store.find_sheet(tx, account.id)
    if stored is None:
        raise NeedsSeller(
            "The application sheet is empty: fill it by PUT, then send the mail that it makes.",
            code="sheet-missing",
            remedy=LocalizedText(ja="先に申請シートに記入してください。", en="Fill the application sheet first."),
        )
    if stored.sent_version != stored.version:
        if at < stored.changed_at:
            raise Rejected(
                "It cannot have been sent before it was filled in as it is now.", code="time-impossible", field="/at"
            )
        await store.save_sent(tx, account.id, version=stored.version, at=at, by=by)
        await audit.note(tx, SENT, account_id=account.id, shop_ids=account.shop_ids)
    return await get_sheet(tx, keyring, account, plugin)


def _reopen(keyring: Keyring, stored: StoredSheet) -> dict[str, str] | None:
    try:
        return _read(keyring, stored)
    except CannotOpen:
        # What cannot be opened is replaced.
        return None


def _open(keyring: Keyring, stored: StoredSheet) -> dict[str, str]:
    try:
        return _read(keyring, stored)
    except KeyMissing as error:
        raise Retryable(f"The key-encryption key {error.key_id} is not mounted.", code="unavailable") from error
    except CannotOpen as error:
        why = f"The stored sheet cannot be opened; it names the key {error.key_id or 'of nobody'}."
        raise ContractBroken(why, code="unreadable") from error


def _read(keyring: Keyring, stored: StoredSheet) -> dict[str, str]:
    opened = crypto.open_(
        keyring,
        stored.sealed,
        schema=SCHEMA,
        table=TABLE,
        row_id=stored.account_id,
        field=FIELD,
        version=stored.version,
    )
    values: dict[str, str] = json.loads(opened)
    return values
