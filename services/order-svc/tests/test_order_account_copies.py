"""Proves what facts about an account change for the work here."""

from datetime import timedelta

from order_sightings import NOON, account

from hanro.events.accounts import (
    AccountActivated,
    AccountChanged,
    AccountDegraded,
    AccountFact,
    AccountState,
    AccountSuspended,
)
from order_svc.domain.accounts import follow, pause


def fact(
    kind: type[AccountFact] = AccountActivated,
    *,
    version: int = 2,
    state: AccountState = "active",
    credentials: int = 1,
    epoch: int = 1,
    is_enabled: bool = True,
    reason: str | None = None,
) -> AccountFact:
    return kind(
        id="acc_1",
        version=version,
        at=NOON,
        account_id="acc_1",
        account_epoch=epoch,
        marketplace_id="playground",
        display_name="見本ストア",
        state=state,
        is_enabled=is_enabled,
        reason_code=reason,
        credential_version=credentials,
        shop_ids=("shp_1",),
    )


def test_an_account_that_becomes_active_is_looked_after_at_once() -> None:
    change = follow(None, fact())
    assert (change.is_due, change.is_stopped) == (True, False)


def test_a_fact_that_is_not_newer_changes_nothing() -> None:
    known = account()
    change = follow(known, fact(AccountSuspended, version=1, state="suspended"))
    assert change.account == known
    assert not change.is_stopped


def test_a_suspended_account_stops_and_begins_again() -> None:
    stopped = follow(account(), fact(AccountSuspended, version=2, state="suspended"))
    assert stopped.is_stopped
    again = follow(stopped.account, fact(version=3))
    assert again.is_due


def test_an_account_that_is_switched_off_stops() -> None:
    assert follow(account(), fact(AccountChanged, is_enabled=False)).is_stopped


def test_a_new_name_brings_no_work_forward() -> None:
    change = follow(account(), fact(AccountChanged))
    assert (change.is_due, change.is_stopped) == (False, False)


def test_a_refused_credential_pauses_until_a_newer_one_is_told() -> None:
    paused = pause(account(), 1, NOON, timedelta(minutes=5))
    assert paused.is_paused(NOON)
    assert not paused.is_paused(NOON + timedelta(minutes=5))
    same = follow(paused, fact(AccountChanged, version=2))
    assert same.account.is_paused(NOON)
    mended = follow(paused, fact(AccountChanged, version=2, credentials=2))
    assert not mended.account.is_paused(NOON)
    assert mended.is_due


def test_a_pause_ends_when_the_credential_in_use_is_served_again() -> None:
    paused = pause(account(), 1, NOON, timedelta(minutes=5))
    told = follow(paused, fact(AccountDegraded, state="degraded", reason="credential-refused")).account
    assert told.is_paused(NOON)
    served = follow(told, fact(AccountChanged, version=3, state="degraded", reason="grant-missing"))
    assert not served.account.is_paused(NOON)
    assert (served.is_due, served.is_freed) == (True, True)
    # Once: what comes later pauses anew.
    again = pause(served.account, 1, NOON, timedelta(minutes=5))
    assert follow(again, fact(version=4)).account.is_paused(NOON)


def test_a_pause_ends_when_the_account_is_active_again() -> None:
    paused = pause(account(), 1, NOON, timedelta(minutes=5))
    suspended = follow(paused, fact(AccountSuspended, version=2, state="suspended"))
    again = follow(suspended.account, fact(version=3))
    assert not again.account.is_paused(NOON)


def test_an_old_credential_that_is_refused_pauses_nothing() -> None:
    newer = follow(account(), fact(AccountChanged, credentials=2)).account
    assert pause(newer, 1, NOON, timedelta(minutes=5)) == newer


def test_an_epoch_never_goes_back() -> None:
    change = follow(account(epoch=3), fact(version=2, epoch=2))
    assert change.account.epoch == 3
