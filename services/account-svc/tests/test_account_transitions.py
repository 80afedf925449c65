"""What happens to an account: which state follows, and which single fact tells it."""

from dataclasses import replace

import pytest
from account_samples import NOON, account, ground, rows
from hypothesis import given
from hypothesis import strategies as st

from account_svc.domain.accounts import WORKING, Account, Reason, State
from account_svc.domain.happenings import (
    CredentialsPromoted,
    CredentialsStored,
    Described,
    Happening,
    Judged,
    LinkedAgain,
    Standing,
    Switched,
    Unlinked,
    Unlinking,
)
from account_svc.domain.life_cycle import change, link
from account_svc.domain.preflights import judge
from account_svc.domain.transitions import TABLE, Deed, check_move, possible
from hanro.errors import NotNow
from hanro.events.accounts import (
    AccountActivated,
    AccountChanged,
    AccountDegraded,
    AccountLinked,
    AccountSuspended,
    CredentialRotated,
)
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
        (State.DRAFT, Standing.AWAITED, State.PENDING_APPROVAL, AccountChanged),
        (State.PENDING_APPROVAL, Standing.AWAITED, State.PENDING_APPROVAL, AccountChanged),
        (State.PENDING_APPROVAL, Standing.WHOLE, State.ACTIVE, AccountActivated),
        (State.PENDING_APPROVAL, Standing.PARTLY, State.DEGRADED, AccountActivated),
        (State.PENDING_APPROVAL, Standing.FAILED, State.DRAFT, AccountChanged),
        (State.ACTIVE, Standing.PARTLY, State.DEGRADED, AccountDegraded),
        (State.ACTIVE, Standing.AWAITED, State.SUSPENDED, AccountSuspended),
        (State.SUSPENDED, Standing.AWAITED, State.SUSPENDED, AccountChanged),
        (State.ACTIVE, Standing.FAILED, State.SUSPENDED, AccountSuspended),
        (State.DEGRADED, Standing.WHOLE, State.ACTIVE, AccountActivated),
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


@pytest.mark.row("A11", kind="refuses")
@pytest.mark.parametrize("state", [State.UNLINKING, State.UNLINKED])
@pytest.mark.parametrize(
    "happening",
    [
        Described(display_name="x", shop_ids=("shp_1",), orders_from=None),
        CredentialsStored(version=2),
        CredentialsPromoted(version=2),
        Switched(is_enabled=False),
        Switched(is_enabled=True),
        judged(Standing.WHOLE),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_a_state_does_not_allow_says_the_state_and_what_is_possible_now(
    state: State, happening: Happening
) -> None:
    known = account(state)
    with pytest.raises(NotNow) as refused:
        change(known, happening, NOON)
    expected: tuple[str, ...] = ("link-again",) if state is State.UNLINKED else ()
    assert (refused.value.code, refused.value.state, refused.value.possible) == ("account-state", state, expected)
    assert state in refused.value.why


def test_what_is_possible_leaves_out_what_would_change_nothing() -> None:
    fresh, _ = link(
        "acc_1", marketplace_id="m", display_name="x", shop_ids=("a",), orders_from=None, key_menu=None, at=NOON
    )
    assert possible(fresh) == (
        Deed.DESCRIBE,
        Deed.STORE_CREDENTIALS,
        Deed.NAME_ISSUER,
        Deed.TYPE_MARKET,
        Deed.DISABLE,
        Deed.UNLINK,
    )
    assert Deed.PREFLIGHT in possible(account(reason=None))
    off = account(State.ACTIVE, is_enabled=False)
    assert (Deed.ENABLE in possible(off), Deed.DISABLE in possible(off)) == (True, False)


def test_a_move_that_the_table_lacks_is_our_bug() -> None:
    with pytest.raises(ValueError, match="must not lead"):
        check_move(State.ACTIVE, Deed.JUDGE, State.DRAFT)


def test_a_preflight_activates_nothing_without_credentials() -> None:
    bare = account(credential_version=0)
    assert change(bare, judged(Standing.WHOLE, version=0), NOON) == (bare, None)


def lost(*capabilities: str) -> Judged:
    standing = Standing.PARTLY if capabilities else Standing.WHOLE
    return replace(judged(standing), lost_capabilities=capabilities)


def test_each_further_loss_is_told_and_so_is_what_comes_back() -> None:
    known = account(State.ACTIVE, reason=None)
    told = []
    for happening in (lost("ship"), lost("accept", "ship"), lost("accept"), lost()):
        known, fact = change(known, happening, NOON)
        assert fact is not None
        told.append((type(fact), fact.lost_capabilities))
    assert told == [
        (AccountDegraded, ("ship",)),
        (AccountDegraded, ("accept", "ship")),
        (AccountChanged, ("accept",)),
        (AccountActivated, ()),
    ]


happenings: st.SearchStrategy[Happening] = st.one_of(
    st.builds(Described, display_name=st.just("x"), shop_ids=st.just(("shp_2",)), orders_from=st.none()),
    st.just(CredentialsStored(version=2)),
    st.just(CredentialsPromoted(version=3)),
    st.builds(Switched, is_enabled=st.booleans()),
    st.builds(
        lambda search, confirm, relay, version: judge(
            ground(), rows(search=search, confirm=confirm, relay=relay), version
        ),
        st.sampled_from(GrantState),
        st.sampled_from(GrantState),
        st.sampled_from(GrantState),
        st.integers(0, 3),
    ),
)


@given(st.sampled_from(State), st.integers(0, 1), st.lists(happenings, max_size=12))
def test_whatever_happens_each_change_is_one_fact_one_version_and_a_legal_move(
    start: State, version: int, told: list[Happening]
) -> None:
    known: Account = account(start, credential_version=1 if start in WORKING else version)
    for happening in told:
        if known.state not in TABLE[happening.deed]:
            with pytest.raises(NotNow):
                change(known, happening, NOON)
            continue
        after, fact = change(known, happening, NOON)
        assert after.state in TABLE[happening.deed][known.state]
        if fact is None:
            assert after == known
        else:
            assert fact.version == after.version == known.version + 1
            assert (fact.state, fact.is_enabled) == (after.state.value, after.is_enabled)
            assert fact.lost_capabilities == after.lost_capabilities
            has_begun = after.is_working and not known.is_working
            is_whole_again = known.is_working and known.state is State.DEGRADED and after.state is State.ACTIVE
            assert isinstance(fact, AccountActivated) == (has_begun or is_whole_again)
            assert isinstance(fact, AccountSuspended) == (known.is_working and not after.is_working)
            more = set(after.lost_capabilities) - set(known.lost_capabilities) or known.state is not after.state
            is_worse = known.is_working and after.is_working and after.state is State.DEGRADED and bool(more)
            assert isinstance(fact, AccountDegraded) == is_worse
        assert after.credential_version > 0 or after.state not in WORKING
        assert after.state not in {State.UNLINKING, State.UNLINKED}
        # An account in trouble says why.
        assert after.state is State.ACTIVE or after.reason is not None
        known = after
    if start in {State.UNLINKING, State.UNLINKED}:
        assert known.state is start


@pytest.mark.parametrize("start", [State.DRAFT, State.PENDING_APPROVAL, State.ACTIVE, State.DEGRADED, State.SUSPENDED])
def test_an_account_is_let_go_and_linked_again_under_its_next_epoch(start: State) -> None:
    known, told = account(start, epoch=3), []
    for happening in (Unlinking(), Unlinked(), LinkedAgain(key_menu=None)):
        known, fact = change(known, happening, NOON)
        assert fact is not None
        told.append((fact.type.split(".")[2], fact.state, fact.account_epoch, known.reason and known.reason.code))
    assert told == [
        ("unlinking", "unlinking", 4, "unlinking"),
        ("unlinked", "unlinked", 4, "unlinked"),
        ("changed", "draft", 4, "credentials-missing"),
    ]
    assert (known.is_enabled, known.has_credentials, known.credential_version) == (True, False, 1)
