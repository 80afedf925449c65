"""What happens to an account: which state follows, and which single fact tells it."""

from dataclasses import replace

import pytest
from account_samples import NOON, account, ground, rows
from hypothesis import given
from hypothesis import strategies as st

from account_svc.domain.accounts import Account, Reason, State
from account_svc.domain.happenings import (
    CredentialsPromoted,
    CredentialsStored,
    Described,
    Happening,
    Judged,
    Standing,
    Switched,
)
from account_svc.domain.life_cycle import change, link
from account_svc.domain.preflights import judge
from hanro.events.accounts import AccountActivated, AccountChanged, AccountLinked, AccountSuspended, CredentialRotated
from hanro.marketplace.types import GrantState

REASON = Reason(code="credential-refused", why="GA0001")


def judged(standing: Standing, version: int = 1) -> Judged:
    reason = None if standing is Standing.WHOLE else REASON
    return Judged(credential_version=version, standing=standing, grants=(), lost_capabilities=(), reason=reason)


def test_a_linked_account_is_a_draft_that_waits_for_credentials() -> None:
    made, fact = link(
        "acc_1",
        marketplace_id="m",
        display_name="見本店",
        shop_ids=("b", "a", "a"),
        orders_from=None,
        key_menu=None,
        at=NOON,
    )
    assert isinstance(fact, AccountLinked)
    assert (made.state, made.version, made.shop_ids) == (State.DRAFT, 1, ("a", "b"))
    assert (fact.reason_code, fact.credential_version) == ("credentials-missing", 0)


@pytest.mark.parametrize(
    ("before", "standing", "after", "fact"),
    [
        (State.DRAFT, Standing.WHOLE, State.ACTIVE, AccountActivated),
        (State.DRAFT, Standing.PARTLY, State.DEGRADED, AccountActivated),
        (State.DRAFT, Standing.FAILED, State.DRAFT, AccountChanged),
        (State.DRAFT, Standing.UNKNOWN, State.DRAFT, AccountChanged),
        (State.ACTIVE, Standing.PARTLY, State.DEGRADED, AccountChanged),
        (State.ACTIVE, Standing.FAILED, State.SUSPENDED, AccountSuspended),
        (State.DEGRADED, Standing.WHOLE, State.ACTIVE, AccountChanged),
        (State.DEGRADED, Standing.FAILED, State.SUSPENDED, AccountSuspended),
        (State.SUSPENDED, Standing.WHOLE, State.ACTIVE, AccountActivated),
        (State.SUSPENDED, Standing.PARTLY, State.DEGRADED, AccountActivated),
    ],
)
def test_a_preflight_moves_an_account_and_one_fact_tells_it(
    before: State, standing: Standing, after: State, fact: type
) -> None:
    made, told = change(account(before), judged(standing), NOON)
    assert made.state is after
    assert type(told) is fact


def test_an_outage_at_the_marketplace_stops_no_account_that_works() -> None:
    known = account(State.ACTIVE, reason=None)
    assert change(known, judged(Standing.UNKNOWN), NOON) == (known, None)


def test_a_preflight_of_older_credentials_says_nothing() -> None:
    known = account(State.ACTIVE, credential_version=2)
    assert change(known, judged(Standing.FAILED, version=1), NOON) == (known, None)


def test_the_same_preflight_twice_is_told_once() -> None:
    first, _ = change(account(), judged(Standing.WHOLE), NOON)
    assert change(first, judged(Standing.WHOLE), NOON) == (first, None)


@pytest.mark.parametrize("state", [State.ACTIVE, State.DEGRADED, State.SUSPENDED])
def test_credentials_that_take_over_are_told_and_change_no_state(state: State) -> None:
    before = account(state, reason=REASON)
    after, fact = change(before, CredentialsPromoted(version=3), NOON)
    assert after == replace(before, credential_version=3, version=before.version + 1)
    assert type(fact) is CredentialRotated
    assert fact.credential_version == 3


def test_new_credentials_of_a_suspended_account_wait_for_their_check() -> None:
    after, _ = change(account(State.SUSPENDED, reason=REASON), CredentialsStored(version=2), NOON)
    assert (after.state, after.reason.code if after.reason else None) == (State.SUSPENDED, "credentials-checking")


def test_an_account_switched_off_is_suspended_to_others_and_comes_back_as_it_was() -> None:
    known = account(State.DEGRADED, reason=REASON)
    off, suspended = change(known, Switched(is_enabled=False), NOON)
    on, activated = change(off, Switched(is_enabled=True), NOON)
    assert (type(suspended), type(activated)) == (AccountSuspended, AccountActivated)
    assert suspended is not None
    assert not suspended.is_enabled
    assert replace(on, version=known.version) == known


def test_a_seller_sees_enabled_exactly_for_active_and_degraded() -> None:
    assert [state for state in State if account(state).is_working] == [State.ACTIVE, State.DEGRADED]
    assert not account(State.ACTIVE, is_enabled=False).is_working


happenings: st.SearchStrategy[Happening] = st.one_of(
    st.builds(Described, display_name=st.just("x"), shop_ids=st.just(("shp_2",)), orders_from=st.none()),
    st.just(CredentialsStored(version=2)),
    st.just(CredentialsPromoted(version=3)),
    st.builds(Switched, is_enabled=st.booleans()),
    st.builds(
        lambda search, relay, version: judge(ground(), rows(search=search, relay=relay), version),
        st.sampled_from(GrantState),
        st.sampled_from(GrantState),
        st.integers(1, 3),
    ),
)


@given(st.lists(happenings, max_size=12))
def test_each_change_is_one_fact_one_version_and_restates_the_account(told: list[Happening]) -> None:
    known: Account = account()
    for happening in told:
        after, fact = change(known, happening, NOON)
        if fact is None:
            assert after == known
        else:
            assert fact.version == after.version == known.version + 1
            assert (fact.state, fact.is_enabled) == (after.state.value, after.is_enabled)
            assert isinstance(fact, AccountActivated) == (after.is_working and not known.is_working)
            assert isinstance(fact, AccountSuspended) == (known.is_working and not after.is_working)
        known = after
