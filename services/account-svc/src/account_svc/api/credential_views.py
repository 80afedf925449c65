"""Shows an account's credentials: which are stored, how they stand, when they end; never a value."""

from collections.abc import Sequence
from datetime import datetime

from account_svc.accounts.reading import AccountPicture
from account_svc.api.credential_shapes import (
    CredentialsShown,
    EndingShown,
    ExpiryFailureShown,
    ExpiryShown,
    FieldShown,
    SlotReasonShown,
    SlotShown,
    UseShown,
)
from account_svc.api.texts import show_menu, show_refusal, show_text
from account_svc.domain import expiries as rules
from account_svc.domain.accounts import WORKING, Reason, State
from account_svc.domain.rotation import DEAD_CODES, SETTLING, is_key_dead
from account_svc.store.credentials import CredentialUse, StoredCredentials
from account_svc.store.expiries import StoredExpiry
from hanro.marketplace.port import Plugin


def show_credentials(picture: AccountPicture, plugin: Plugin | None, at: datetime) -> CredentialsShown:
    """Show what is stored of an account's credentials, how it stands, and when it ends."""
    stored, failure = picture.credentials, picture.expiry_failure
    names = stored.field_names if stored else ()
    # When an older key ended says nothing of this one.
    present = [one for one in picture.expiries if one.credential_version == picture.account.credential_version]
    fields = {field.name: field for field in plugin.credential_form.fields} if plugin else {}
    return CredentialsShown(
        version=picture.account.credential_version,
        registration=stored.registration_id if stored else None,
        stored_at=stored.stored_at if stored else None,
        fields=[
            FieldShown(name=name, is_secret=fields[name].is_secret if name in fields else True, is_stored=name in names)
            for name in dict.fromkeys((*fields, *names))
        ],
        expiries=[
            ExpiryShown(
                field=one.expiry.field,
                source=one.expiry.source.value,
                expires_at=one.expiry.expires.at if one.expiry.expires else None,
                expires_local=one.expiry.expires.local if one.expiry.expires else None,
                read_at=one.read_at,
            )
            for one in present
        ],
        expiry_failure=ExpiryFailureShown(
            code=failure.code,
            text=failure.why,
            first_at=failure.first_at,
            last_at=failure.last_at,
            is_alarming=failure.is_alarming,
        )
        if failure
        else None,
        ending=_show_ending(present, at),
        slots=_show_slots(picture),
    )


def show_use(use: CredentialUse) -> UseShown:
    """Show one use of credentials."""
    return UseShown(
        caller=use.caller,
        service=use.service,
        purpose=use.purpose,
        version=use.credential_version,
        used_at=use.used_at,
    )


def _show_ending(present: Sequence[StoredExpiry], at: datetime) -> EndingShown | None:
    endings = [found for one in present if (found := rules.ending(one.expiry, at)) is not None]
    first = min(endings, key=lambda one: one.expires_at, default=None)
    if first is None:
        return None
    return EndingShown(
        field=first.field,
        expires_at=first.expires_at,
        days_left=first.days_left,
        next_warning_days=first.next_days,
        next_warning_at=first.next_at,
    )


def _show_slots(picture: AccountPicture) -> list[SlotShown]:
    shown = []
    if picture.credentials is not None:
        account, reason = picture.account, picture.account.reason
        is_blamed = reason is not None and (
            is_key_dead(account) or account.state in {State.DRAFT, State.PENDING_APPROVAL}
        )
        state = "works" if account.state in WORKING else "checking"
        if is_blamed and reason is not None and reason.code in DEAD_CODES:
            state = "settling" if reason.code == SETTLING and picture.spare is None else "refused"
        shown.append(_show_slot("in_use", picture.credentials, state, until=None, reason=reason if is_blamed else None))
    if picture.spare is not None:
        second = picture.spare
        shown.append(
            _show_slot("second", second.credentials, second.state.value, until=second.until, reason=second.reason)
        )
    return shown


def _show_slot(
    slot: str, stored: StoredCredentials, state: str, *, until: datetime | None, reason: Reason | None
) -> SlotShown:
    return SlotShown(
        slot=slot,
        state=state,
        version=stored.version,
        registration=stored.registration_id,
        stored_at=stored.stored_at,
        stored_by=stored.stored_by,
        until=until,
        reason=SlotReasonShown(
            code=reason.code,
            text=reason.why,
            remedy=show_text(reason.remedy) if reason.remedy else None,
            menu=show_menu(reason.menu) if reason.menu else None,
            marketplace=show_refusal(reason.refusal),
        )
        if reason
        else None,
    )
