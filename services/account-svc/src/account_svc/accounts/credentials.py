"""Stores accounts' credentials sealed, and gives them out to those who may use them, with a trace of each use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from account_svc.accounts import audit
from account_svc.accounts.linking import Plugins, apply
from account_svc.domain import activation
from account_svc.domain import credentials as rules
from account_svc.domain.accounts import LET_GO, WORKING, Account
from account_svc.domain.happenings import CredentialsStored
from account_svc.domain.preflights import LOOK_SETTLING
from account_svc.domain.rotation import SETTLING, SpareState, is_key_dead
from account_svc.domain.transitions import Deed, require
from account_svc.store import accounts, spares
from account_svc.store import credentials as store
from account_svc.store.credentials import CredentialUse, StoredCredentials
from account_svc.store.spares import Spare
from account_svc.vault import Installation, Vault
from hanro import breaker
from hanro.crypto import KeyMissing, SealBroken
from hanro.db import Database, Statements, Transaction
from hanro.errors import ContractBroken, LocalizedText, NeedsSeller, Rejected, Retryable
from hanro.marketplace import Fault
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import MarketplaceId, Registration

UNLINKING = "unlinking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """Hold what opens stored credentials: the vault, and the installation's own values."""

    vault: Vault
    installation: Installation = field(repr=False)


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


async def store_credentials(
    tx: Transaction, safe: Safe, account: Account, plugin: Plugin, typed: Typed
) -> tuple[Account, bool]:
    """Store checked values for an account that is locked; True: as a candidate, beside those that work.

    A candidate takes the place of another one, and of credentials that were in use before. The same values again store
    nothing: whoever repeats a request after a lost answer changes nothing.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
        Rejected: the operator has not supplied what this registration needs; code "installation-incomplete".
    """
    require(account, Deed.STORE_CREDENTIALS)
    lacking = rules.lacking(plugin.credential_form, typed.registration, safe.installation.of(plugin.id))
    if lacking:
        raise _incomplete(lacking)
    kept = rules.keep_typed(plugin.credential_form, typed.registration, typed.values)
    wanted = (typed.registration.id, kept)
    in_use = await store.find_credentials(tx, account.id)
    opened = _reopen(safe, in_use)
    if in_use is not None and (in_use.registration_id, opened) == wanted:
        return account, False
    spare = await spares.find_spare(tx, account.id)
    if spare is not None and spare.state is not SpareState.RETIRING:
        second = spare.credentials
        if (second.registration_id, _reopen(safe, second)) == wanted:
            return account, True
    version = await spares.next_version(tx, account.id, account.credential_version)
    stored = StoredCredentials(
        account_id=account.id,
        version=version,
        registration_id=typed.registration.id,
        field_names=tuple(kept),
        sealed=safe.vault.close(account.id, version, kept),
        stored_at=typed.at,
        stored_by=typed.by,
    )
    # What cannot be opened works for nobody, whatever the account's state says.
    if account.state in WORKING and opened is not None:
        await spares.save_spare(tx, Spare(credentials=stored, state=SpareState.WAITING, since=typed.at))
        deed = Deed.STORE_CREDENTIALS.value
        await audit.note(tx, deed, account_id=account.id, shop_ids=account.shop_ids, changed=["credentials"])
        return account, True
    absence = activation.find_absence(plugin.capabilities)
    reason = activation.reason_of(absence) if absence else None
    stored_now = CredentialsStored(version=version, shop_key=typed.shop_key, reason=reason)
    after = await apply(tx, account, stored_now, typed.at)
    await spares.delete_spare(tx, account.id)
    await store.save_credentials(tx, stored)
    await breaker.close(tx, after.id)
    return after, False


async def vend(db: Database, safe: Safe, plugins: Plugins, account_id: str, use: Use) -> Vended:
    """Give an account's credentials to a service, once it stands who had which version when, what for.

    Raises:
        Rejected: there is no such account, code "not-found"; or it is let go, or was, code "unlinking".
        NeedsSeller: the account does not work; `remedy` says what to do.
        Retryable: the key-encryption key is not mounted here; code "unavailable". Or a new key settles: calls pause;
            code "key-settling".
        ContractBroken: what is stored cannot be opened; code "unreadable".
    """
    # Every poll of every account waits for it: one round trip to look, and one to note what is given out.
    async with db.statements() as statements:
        found = await store.find_with_account(statements, account_id)
        if found is None:
            raise accounts.not_found()
        account, stored = found
        if account.state in LET_GO:
            raise Rejected("The account is being unlinked, or was: nothing works for it.", code=UNLINKING)
        if not account.is_working:
            raise pausing(account) or not_working(account)
        if stored is None:
            raise ContractBroken("The account works, yet no credentials are stored.", code="unreadable")
        plugin = plugins.get(MarketplaceId(account.marketplace_id))
        # The disk's slowest hundredth would keep every poll waiting that comes after it.
        secrets = await open_noted(statements, safe, stored, plugin, use, is_flushed=False)
    return Vended(secrets=secrets, account_epoch=account.epoch, marketplace_id=account.marketplace_id)


async def take_out(tx: Transaction, safe: Safe, account_id: str, plugin: Plugin | None, use: Use) -> Secrets | None:
    """Open an account's credentials and note the use; None where none are stored. Errors as `vend`."""
    stored = await store.find_credentials(tx, account_id)
    return None if stored is None else await open_noted(tx, safe, stored, plugin, use)


async def open_noted(
    tx: Statements, safe: Safe, stored: StoredCredentials, plugin: Plugin | None, use: Use, *, is_flushed: bool = True
) -> Secrets:
    """Open credentials and note the use, flushed to the disk or not (`store.save_use`). Errors as `vend`."""
    values = _completed(safe, stored, plugin)
    await store.save_use(
        tx,
        CredentialUse(
            account_id=stored.account_id,
            credential_version=stored.version,
            caller=use.caller,
            service=use.service,
            purpose=use.purpose,
            used_at=use.at,
        ),
        is_flushed=is_flushed,
    )
    return Secrets(values=values, version=stored.version, stored_at=stored.stored_at)


def _completed(safe: Safe, stored: StoredCredentials, plugin: Plugin | None) -> Mapping[str, str]:
    values = open_stored(safe, stored)
    if plugin is None:
        return values
    return rules.complete(plugin.credential_form, stored.registration_id, values, safe.installation.of(plugin.id))


def pausing(account: Account) -> Retryable | None:
    """Make the error that lets calls wait while a new key settles; None where none does."""
    reason = account.reason
    if not account.is_enabled or reason is None or not is_key_dead(account) or reason.code != SETTLING:
        return None
    return Retryable(reason.why, code=SETTLING, after=LOOK_SETTLING, remedy=reason.remedy, menu=reason.menu)


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


def _reopen(safe: Safe, stored: StoredCredentials | None) -> dict[str, str] | None:
    if stored is None:
        return None
    try:
        return safe.vault.open(stored.account_id, stored.version, stored.sealed)
    except (KeyMissing, SealBroken):
        # What cannot be opened is replaced.
        return None


def _incomplete(names: tuple[str, ...]) -> Rejected:
    listed = ", ".join(names)
    return Rejected(
        f"The operator has not supplied {listed} for this installation, and this registration does not ask for it.",
        code="installation-incomplete",
        field="/registration",
        remedy=LocalizedText(
            ja=f"運用者に {listed} の設定を依頼するか、別の登録方法を選んでください。",
            en=f"Ask the operator to supply {listed}, or choose another way to register.",
        ),
    )


def open_stored(safe: Safe, stored: StoredCredentials) -> dict[str, str]:
    """Open credentials. Errors as `vend`."""
    try:
        return safe.vault.open(stored.account_id, stored.version, stored.sealed)
    except KeyMissing as error:
        why = f"The key-encryption key {error.key_id} is not mounted."
        raise Retryable(why, code="unavailable") from error
    except SealBroken as error:
        why = f"The stored credentials cannot be opened; they name the key {error.key_id or 'of nobody'}."
        raise ContractBroken(why, code="unreadable") from error
