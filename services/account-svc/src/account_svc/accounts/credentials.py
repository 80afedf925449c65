"""Stores accounts' credentials sealed, and gives them out to those who may use them, with a trace of each use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from account_svc.accounts.linking import apply
from account_svc.domain import activation
from account_svc.domain import credentials as rules
from account_svc.domain.accounts import Account
from account_svc.domain.happenings import CredentialsStored
from account_svc.domain.transitions import Deed, require
from account_svc.store import credentials as store
from account_svc.store.credentials import CredentialUse, StoredCredentials
from account_svc.vault import Vault
from hanro import breaker
from hanro.crypto import KeyMissing, SealBroken
from hanro.db import Transaction
from hanro.errors import ContractBroken, LocalizedText, NeedsSeller, Retryable
from hanro.marketplace import Fault
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """Hold what opens stored credentials: the vault, and the installation's own values by marketplace and field."""

    vault: Vault
    installation: Mapping[str, Mapping[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vended:
    """Be credentials given out; `account_epoch` is the link that they belong to."""

    secrets: Secrets = field(repr=False)
    account_epoch: int
    marketplace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Be checked values as they are to be stored: for which registration, by whom, when.

    `shop_key` is the shop that they belong to, None where they do not tell.
    """

    registration: Registration
    values: Mapping[str, str] = field(repr=False)
    shop_key: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Be one use of credentials: `caller` as the token says, `service` and `purpose` as it says itself."""

    caller: str
    service: str
    purpose: str
    at: datetime


class CredentialsMalformed(Exception):
    """What was typed cannot be credentials; `faults` name the fields, nothing was stored."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("credentials are malformed: " + ", ".join(fault.field for fault in faults))
        self.faults = faults


def check_typed(plugin: Plugin, registration_id: str | None, values: Mapping[str, str], today: date) -> Registration:
    """Give the registration that the typed values belong to.

    Raises:
        CredentialsMalformed: a field is missing, padded, full-width or of the wrong kind; or no such registration.
    """
    registration = rules.find_registration(plugin.credential_form, registration_id)
    if registration is None:
        known = ", ".join(one.id for one in plugin.credential_form.registrations)
        why = LocalizedText(
            ja=f"この登録方法はありません（{known}）", en=f"there is no such way to register; there are: {known}"
        )
        raise CredentialsMalformed((Fault(field="registration", code="registration-unknown", why=why),))
    faults = rules.check(plugin.credential_form, registration, values, today)
    if faults:
        raise CredentialsMalformed(faults)
    return registration


async def store_credentials(tx: Transaction, safe: Safe, account: Account, plugin: Plugin, typed: Typed) -> Account:
    """Store checked values for an account that is locked, and have them checked at the marketplace at once.

    The same values again raise no version: whoever repeats a request after a lost answer changes nothing.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
    """
    require(account, Deed.STORE_CREDENTIALS)
    kept = rules.keep_typed(plugin.credential_form, typed.registration, typed.values)
    stored = await store.find_credentials(tx, account.id)
    if stored and stored.registration_id == typed.registration.id and _reopen(safe, stored) == kept:
        return account
    absence = activation.find_absence(plugin.capabilities)
    reason = activation.reason_of(absence) if absence else None
    stored_now = CredentialsStored(shop_key=typed.shop_key, reason=reason)
    after = await apply(tx, account, stored_now, typed.at)
    await store.save_credentials(
        tx,
        StoredCredentials(
            account_id=after.id,
            version=after.credential_version,
            registration_id=typed.registration.id,
            field_names=tuple(kept),
            sealed=safe.vault.close(after.id, after.credential_version, kept),
            stored_at=typed.at,
            stored_by=typed.by,
        ),
    )
    await breaker.close(tx, after.id)
    return after


async def vend(tx: Transaction, safe: Safe, account: Account, plugin: Plugin | None, use: Use) -> Vended:
    """Give an account's credentials to a service, and note who had which version when, what for.

    Raises:
        NeedsSeller: the account does not work; `remedy` says what to do.
        Retryable: the key-encryption key is not mounted here; code "unavailable".
        ContractBroken: what is stored cannot be opened; code "unreadable".
    """
    if not account.is_working:
        raise not_working(account)
    secrets = await take_out(tx, safe, account.id, plugin, use)
    if secrets is None:
        raise ContractBroken("The account works, yet no credentials are stored.", code="unreadable")
    return Vended(secrets=secrets, account_epoch=account.epoch, marketplace_id=account.marketplace_id)


async def take_out(tx: Transaction, safe: Safe, account_id: str, plugin: Plugin | None, use: Use) -> Secrets | None:
    """Open an account's credentials and note the use; None where none are stored. Errors as `vend`."""
    stored = await store.find_credentials(tx, account_id)
    if stored is None:
        return None
    values = _open(safe, stored)
    if plugin is not None:
        own = safe.installation.get(plugin.id, {})
        values = rules.complete(plugin.credential_form, stored.registration_id, values, own)
    await store.save_use(
        tx,
        CredentialUse(
            account_id=account_id,
            credential_version=stored.version,
            caller=use.caller,
            service=use.service,
            purpose=use.purpose,
            used_at=use.at,
        ),
    )
    return Secrets(values=values, version=stored.version, stored_at=stored.stored_at)


def not_working(account: Account) -> NeedsSeller:
    """Make the error that says why an account does not work, with the seller's next step."""
    if not account.is_enabled:
        return NeedsSeller(
            "The account was switched off by hand.",
            code="account-disabled",
            remedy=LocalizedText(ja="アカウントを有効に切り替えてください。", en="Switch the account on."),
        )
    reason = account.reason
    return NeedsSeller(
        f"The account is {account.state}: {reason.why if reason else 'it was never checked.'}",
        code=f"account-{account.state}",
        refusal=reason.refusal if reason else None,
        grant_id=reason.grant_id if reason else None,
        remedy=reason.remedy if reason else None,
        menu=reason.menu if reason else None,
    )


def _reopen(safe: Safe, stored: StoredCredentials) -> dict[str, str] | None:
    try:
        return safe.vault.open(stored.account_id, stored.version, stored.sealed)
    except (KeyMissing, SealBroken):
        # What cannot be opened is replaced.
        return None


def _open(safe: Safe, stored: StoredCredentials) -> dict[str, str]:
    try:
        return safe.vault.open(stored.account_id, stored.version, stored.sealed)
    except KeyMissing as error:
        why = f"The key-encryption key {error.key_id} is not mounted."
        raise Retryable(why, code="unavailable") from error
    except SealBroken as error:
        why = f"The stored credentials cannot be opened; they name the key {error.key_id or 'of nobody'}."
        raise ContractBroken(why, code="unreadable") from error
