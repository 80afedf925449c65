"""What the rows of a preflight mean."""

from dataclasses import replace
from datetime import timedelta

import pytest
from account_samples import GRANTS, KEY_MENU, NOON, ground, row, rows

from account_svc.domain.happenings import Standing
from account_svc.domain.preflights import RECHECK, RECHECK_FAILED, Awaited, judge, next_look
from hanro.errors import LocalizedText
from hanro.marketplace.types import GrantState

DENIED, GRANTED, PENDING, UNKNOWN = GrantState.DENIED, GrantState.GRANTED, GrantState.PENDING, GrantState.UNKNOWN


def test_all_granted_is_whole_and_has_no_reason() -> None:
    found = judge(ground(), rows(), 1)
    assert (found.standing, found.reason, found.lost_capabilities) == (Standing.WHOLE, None, ())


@pytest.mark.parametrize("grant_id", ["search", "get"])
def test_without_a_grant_that_orders_need_the_account_cannot_work(grant_id: str) -> None:
    found = judge(ground(), rows(**{grant_id: DENIED}), 1)
    assert found.standing is Standing.FAILED
    assert found.reason is not None
    assert (found.reason.code, found.reason.grant_id) == ("grant-missing", grant_id)
    assert found.reason.menu is not None
    assert found.reason.menu.steps == ("RMS", grant_id)
    assert found.reason.remedy is not None
    assert found.reason.remedy.en == f"fix {grant_id}"


def test_another_grant_that_is_missing_costs_its_own_capabilities_alone() -> None:
    found = judge(ground(), rows(confirm=DENIED), 1)
    assert (found.standing, found.lost_capabilities) == (Standing.PARTLY, ("accept",))


def test_a_refused_login_at_the_relay_leaves_the_rest_at_work() -> None:
    found = judge(ground(), rows(relay=DENIED), 1)
    assert found.standing is Standing.PARTLY
    assert found.reason is not None
    assert found.reason.grant_id == "relay"


def test_a_dead_key_is_told_by_its_code_and_where_a_new_one_is_issued() -> None:
    dead = {one.id: row(one.id, DENIED, status=401) for one in GRANTS[:3]} | {"relay": row("relay", GRANTED)}
    refused, expired = judge(ground(), dead, 1), judge(ground(is_expired=True), dead, 1)
    assert refused.standing is Standing.FAILED
    assert refused.reason is not None
    assert expired.reason is not None
    assert (refused.reason.code, expired.reason.code) == ("credential-refused", "credential-expired")
    assert refused.reason.menu == KEY_MENU


def test_a_key_that_opens_nothing_is_dead_even_where_no_status_says_so() -> None:
    found = judge(ground(), rows(search=DENIED, get=DENIED, confirm=DENIED), 1)
    assert found.reason is not None
    assert found.reason.code == "credential-refused"


def test_a_key_that_settles_is_looked_at_again_when_it_says() -> None:
    settling = rows() | {"search": row("search", PENDING, retry_at=NOON + timedelta(minutes=5))}
    found = judge(ground(), settling, 1)
    assert found.standing is Standing.AWAITED
    assert found.reason is not None
    assert found.reason.code == "key-settling"
    assert next_look(found, settling, 0, NOON) == (NOON + timedelta(minutes=5), 0)


APPLIED = Awaited(title=LocalizedText(ja="利用承認", en="approval"), menu=KEY_MENU)


def test_a_grant_that_the_marketplace_has_not_decided_is_awaited() -> None:
    found = judge(ground(), rows(search=PENDING), 1)
    assert found.standing is Standing.AWAITED
    assert found.reason is not None
    assert (found.reason.code, found.reason.grant_id) == ("approval-awaited", "search")
    assert next_look(found, rows(search=PENDING), 0, NOON) == (NOON + RECHECK_FAILED, 0)


def test_a_denied_grant_is_awaited_while_the_checklist_waits_for_the_marketplace() -> None:
    waiting = replace(ground(), awaited=APPLIED)
    found = judge(waiting, rows(search=DENIED), 1)
    assert found.standing is Standing.AWAITED
    assert found.reason is not None
    assert (found.reason.code, found.reason.menu) == ("approval-awaited", KEY_MENU)
    assert found.reason.remedy is not None
    assert found.reason.remedy.en.startswith("approval: ")
    dead = {one.id: row(one.id, DENIED, status=401) for one in GRANTS[:3]}
    refused = judge(waiting, dead, 1)
    assert refused.standing is Standing.FAILED
    assert refused.reason is not None
    assert refused.reason.code == "credential-refused"


def test_what_could_not_be_asked_keeps_its_known_state() -> None:
    found = judge(ground({"search": GRANTED}), rows(search=UNKNOWN), 1)
    assert found.standing is Standing.WHOLE
    unknown = judge(ground(), rows(search=UNKNOWN), 1)
    assert unknown.standing is Standing.UNKNOWN
    assert unknown.reason is not None
    assert unknown.reason.code == "unavailable"


def test_what_could_not_be_asked_is_asked_again_soon_and_then_less_often() -> None:
    failed = rows() | {"search": row("search", UNKNOWN, retry_at=NOON)}
    found = judge(ground(), failed, 1)
    waits = [next_look(found, failed, failures, NOON)[0] - NOON for failures in (0, 1, 2, 20)]
    assert waits == [timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=10)]


def test_an_account_that_works_is_looked_at_daily_and_one_that_does_not_hourly() -> None:
    assert next_look(judge(ground(), rows(), 1), rows(), 3, NOON) == (NOON + RECHECK, 0)
    failed = rows(search=DENIED)
    assert next_look(judge(ground(), failed, 1), failed, 0, NOON) == (NOON + RECHECK_FAILED, 0)
