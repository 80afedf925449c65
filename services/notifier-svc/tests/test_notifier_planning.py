"""What an order's state asks for: each milestone once, nothing old, nothing unbound. Values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.events.accounts import AccountActivated, AccountChanged, AccountSuspended
from hanro.events.orders import OrderPlaced
from hanro.marketplace.types import Channel, Trigger
from notifier_svc.domain.accounts import Account, follow
from notifier_svc.domain.messages import State
from notifier_svc.domain.planning import LONGEST_AGE, TRIGGERS, Binding, Known, Plan, decide

NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=30)

ACCOUNT = Account(
    id="acc_1",
    version=3,
    epoch=1,
    marketplace_id="rakuten_ichiba",
    display_name="見本店",
    state="active",
    is_enabled=True,
    credential_version=1,
    shop_ids=("shp_1",),
)


def bound(*triggers: Trigger, since: datetime = LONG_AGO) -> dict[Trigger, Binding]:
    return {
        trigger: Binding(account_id="acc_1", trigger=trigger, template="thanks", channel=Channel.RELAY, bound_at=since)
        for trigger in triggers
    }


def known(**changes: Any) -> Known:
    start = Known(account=ACCOUNT, bindings=bound(*TRIGGERS.values()), written=frozenset(), at=NOON)
    return replace(start, **changes)


def order(**changes: Any) -> OrderPlaced:
    stated: dict[str, Any] = {
        "id": "ord_1",
        "version": 1,
        "at": NOON,
        "account_id": "acc_1",
        "account_epoch": 1,
        "marketplace_id": "rakuten_ichiba",
        "external_id": "999001-20260511-0000000001",
        "status": "new",
        "work_state": "new",
        "placed_at": NOON,
        "first_seen_by": "placed",
        "lines": (),
        "milestones": {"placed": NOON},
        "href": "/v1/orders/ord_1",
    }
    return OrderPlaced.model_validate({**stated, **changes})


def told(plan: Plan) -> list[tuple[Trigger, State, str | None]]:
    return [(message.trigger, message.state, message.reason_code) for message in plan.messages]


def test_a_new_order_plans_its_message() -> None:
    (message,) = decide(known(), order()).messages
    assert (message.trigger, message.state, message.next_at, message.version) == (
        Trigger.NEW_ORDER, State.PLANNED, NOON, 0,
    )  # fmt: skip
    assert (message.template, message.channel, message.occurrence) == ("thanks", Channel.RELAY, 1)
    assert message.expires_at == NOON + LONGEST_AGE


def test_a_fact_that_jumped_over_steps_plans_each_milestone_reached() -> None:
    fact = order(milestones={"shipped": NOON, "placed": NOON - timedelta(hours=2), "confirmed": NOON})
    assert [trigger for trigger, _, _ in told(decide(known(), fact))] == [
        Trigger.NEW_ORDER, Trigger.CONFIRMED, Trigger.SHIPPED,
    ]  # fmt: skip


def test_the_same_state_again_plans_nothing() -> None:
    written = frozenset({(Trigger.NEW_ORDER, 1)})
    assert decide(known(written=written), order(version=7)) == Plan()


def test_a_blank_trigger_sends_nothing_and_says_why() -> None:
    plan = decide(known(bindings={}), order())
    assert plan.messages == ()
    assert [(skip.trigger, skip.reason_code) for skip in plan.skips] == [(Trigger.NEW_ORDER, "unbound")]


def test_an_account_that_nobody_told_of_has_nothing_bound() -> None:
    assert decide(known(account=None, bindings={}), order()).messages == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_backfilled": True}, "backfilled"),
        ({"is_test": True}, "test"),
        ({"account_epoch": 0}, "unlinked"),
        ({"milestones": {"placed": NOON - timedelta(hours=72)}}, "too-old"),
        ({"milestones": {"placed": LONG_AGO - timedelta(days=1)}}, "before-binding"),
    ],
)
def test_what_must_not_be_told_is_suppressed_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    (message,) = decide(known(), order(**changes)).messages
    assert (message.state, message.reason_code, message.next_at, message.version) == (
        State.SUPPRESSED, reason, None, 1,
    )  # fmt: skip


def test_an_order_just_younger_than_three_days_is_told() -> None:
    fact = order(milestones={"placed": NOON - timedelta(hours=72) + timedelta(seconds=1)})
    assert told(decide(known(), fact)) == [(Trigger.NEW_ORDER, State.PLANNED, None)]


def test_an_order_of_the_second_in_which_the_trigger_was_bound_is_not_older_than_it() -> None:
    since = NOON + timedelta(milliseconds=900)
    assert told(decide(known(bindings=bound(Trigger.NEW_ORDER, since=since)), order()))[0][1] is State.PLANNED


def test_a_quarantined_order_waits_for_its_release() -> None:
    assert decide(known(), order(is_quarantined=True)) == Plan()


def test_a_milestone_that_nobody_is_told_of_passes_unseen() -> None:
    assert decide(known(), order(milestones={"first_parcel": NOON})) == Plan()


milestones = st.dictionaries(
    st.sampled_from([*TRIGGERS, "first_parcel"]),
    st.integers(0, 200).map(lambda hours: NOON - timedelta(hours=hours)),
)


@given(milestones, st.sets(st.sampled_from(list(TRIGGERS.values()))))
def test_whatever_was_planned_first_the_rest_is_planned_once(
    reached: dict[str, datetime], triggers: set[Trigger]
) -> None:
    stands = known(bindings=bound(*triggers))
    first = decide(stands, order(milestones=reached))
    written = frozenset(
        [(message.trigger, message.occurrence) for message in first.messages]
        + [(skip.trigger, skip.occurrence) for skip in first.skips]
    )
    assert written == {(TRIGGERS[name], 1) for name in reached if name in TRIGGERS}
    assert decide(replace(stands, written=written), order(milestones=reached)) == Plan()


def linked(kind: type[Any], version: int, **changes: Any) -> Any:
    stated = {
        "id": "acc_1",
        "version": version,
        "at": NOON,
        "account_id": "acc_1",
        "account_epoch": 1,
        "marketplace_id": "rakuten_ichiba",
        "display_name": "見本店",
        "state": "active",
        "is_enabled": True,
        "credential_version": 1,
        "shop_ids": ("shp_1",),
    }
    return kind.model_validate({**stated, **changes})


PAUSED = replace(ACCOUNT, paused_until=NOON, pause_code="credential-refused", pause_count=3)


def test_an_account_is_copied_and_an_older_fact_changes_nothing() -> None:
    account = follow(None, linked(AccountActivated, 4))
    assert (account.is_working, account.version, account.shop_ids) == (True, 4, ("shp_1",))
    assert follow(account, linked(AccountSuspended, 3, state="suspended")) is account


def test_a_newer_credential_ends_a_pause_and_another_change_does_not() -> None:
    assert follow(PAUSED, linked(AccountChanged, 4, credential_version=2)).paused_until is None
    assert follow(PAUSED, linked(AccountChanged, 4, display_name="別名")).pause_count == 3


def test_beginning_to_work_again_ends_a_pause() -> None:
    suspended = follow(PAUSED, linked(AccountSuspended, 4, state="suspended"))
    assert (suspended.is_working, suspended.pause_count) == (False, 3)
    assert follow(suspended, linked(AccountActivated, 5)).pause_count == 0


def test_an_epoch_never_goes_back() -> None:
    assert follow(replace(ACCOUNT, epoch=5), linked(AccountChanged, 9, account_epoch=2)).epoch == 5
