"""What other services report of their calls: when an account is checked, and what need not be probed."""

from datetime import datetime, timedelta

from account_samples import NOON, account

from account_svc.domain.accounts import SeenGrant, State
from account_svc.domain.reports import Heard, Use, fresh_grants, is_refused_lately, respond
from hanro.events.access import AccessReported, GrantUsed
from hanro.marketplace.types import GrantState

MINUTE = timedelta(minutes=1)


def report(*grants: GrantUsed, version: int = 1, epoch: int = 0) -> AccessReported:
    return AccessReported(
        id="acc_1:order-svc",
        version=1,
        at=NOON,
        account_id="acc_1",
        account_epoch=epoch,
        service="order-svc",
        credential_version=version,
        grants=grants,
    )


def refused(at: datetime = NOON, code: str = "credential-refused", served: datetime | None = None) -> GrantUsed:
    return GrantUsed(grant_id="search", refused_at=at, refusal_code=code, succeeded_at=served)


def use(grant_id: str, *, served: datetime | None = None, refused_at: datetime | None = None, version: int = 1) -> Use:
    return Use(
        account_id="acc_1",
        service="order-svc",
        grant_id=grant_id,
        credential_version=version,
        succeeded_at=served,
        refused_at=refused_at,
        refusal_code="credential-refused" if refused_at else None,
    )


def uses(*found: Use) -> dict[tuple[str, str], Use]:
    return {(one.service, one.grant_id): one for one in found}


def heard(state: State = State.ACTIVE, *known: Use, version: int = 1, **changes: object) -> Heard:
    return Heard(
        account=account(state, credential_version=version, **changes), uses={one.grant_id: one for one in known}
    )


def test_a_refused_credential_has_the_account_checked_at_once() -> None:
    assert respond(heard(), report(refused())).checked_account_id == "acc_1"


def test_a_refusal_that_is_known_already_asks_for_nothing() -> None:
    known = heard(State.ACTIVE, use("search", refused_at=NOON))
    assert respond(known, report(refused())).checked_account_id is None
    assert respond(known, report(refused(NOON + MINUTE))).checked_account_id == "acc_1"


def test_a_refusal_of_older_credentials_says_nothing_of_newer_ones() -> None:
    assert respond(heard(version=2), report(refused(), version=1)).checked_account_id is None


def test_a_refusal_of_an_older_link_is_dropped() -> None:
    response = respond(heard(epoch=1), report(refused(), epoch=0))
    assert (response.uses, response.checked_account_id) == ((), None)


def test_an_account_that_does_not_work_is_not_checked_again_for_a_refusal() -> None:
    assert respond(heard(State.SUSPENDED), report(refused())).checked_account_id is None


def test_a_refusal_that_was_followed_by_a_success_is_over() -> None:
    assert respond(heard(), report(refused(served=NOON + MINUTE))).checked_account_id is None


def test_a_missing_grant_is_checked_unless_it_is_known_to_be_missing() -> None:
    missing = report(refused(code="grant-missing"))
    assert respond(heard(), missing).checked_account_id == "acc_1"
    known = heard(grants=(SeenGrant(grant_id="search", state=GrantState.DENIED),))
    assert respond(known, missing).checked_account_id is None


def test_a_report_about_an_unknown_account_changes_nothing() -> None:
    assert respond(None, report(refused())).uses == ()


def test_a_grant_that_was_used_in_the_last_ten_minutes_needs_no_probe() -> None:
    found = uses(use("search", served=NOON - 9 * MINUTE), use("get", served=NOON - 11 * MINUTE))
    assert set(fresh_grants(account(State.ACTIVE), found, (), NOON)) == {"search"}


def test_what_worked_before_the_key_died_is_probed() -> None:
    found = uses(use("search", refused_at=NOON), use("get", served=NOON - MINUTE))
    assert fresh_grants(account(State.ACTIVE), found, (), NOON) == {}
    assert is_refused_lately(account(State.ACTIVE), found, ())


def test_what_worked_with_older_credentials_is_probed() -> None:
    found = uses(use("search", served=NOON, version=1))
    assert fresh_grants(account(State.ACTIVE, credential_version=2), found, (), NOON) == {}


def test_a_refusal_that_was_followed_by_other_successes_is_not_the_latest_news() -> None:
    found = uses(use("search", refused_at=NOON - MINUTE), use("get", served=NOON))
    assert not is_refused_lately(account(State.ACTIVE), found, ())
    assert set(fresh_grants(account(State.ACTIVE), found, (), NOON)) == {"get"}


def test_a_mail_relay_that_lets_us_in_does_not_make_a_dead_key_good_and_one_that_does_not_makes_no_key_dead() -> None:
    served = uses(use("search", refused_at=NOON - MINUTE), use("relay", served=NOON))
    assert is_refused_lately(account(State.ACTIVE), served, {"relay"})
    refused_there = uses(use("search", served=NOON - MINUTE), use("relay", refused_at=NOON))
    assert not is_refused_lately(account(State.ACTIVE), refused_there, {"relay"})


def test_whether_the_relay_lets_us_in_says_nothing_of_what_the_key_was_used_for_nor_the_other_way_round() -> None:
    refused_there = uses(use("search", served=NOON - MINUTE), use("relay", refused_at=NOON))
    assert set(fresh_grants(account(State.ACTIVE), refused_there, {"relay"}, NOON)) == {"search"}
    dead_key = uses(use("search", refused_at=NOON), use("relay", served=NOON - MINUTE))
    assert set(fresh_grants(account(State.ACTIVE), dead_key, {"relay"}, NOON)) == {"relay"}
