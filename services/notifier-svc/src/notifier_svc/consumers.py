"""Says what notifier-svc listens to, and what each fact does here."""

from collections.abc import Callable
from functools import partial

from hanro.access_reports import AccessLog
from hanro.events.accounts import ACCOUNT_FACTS
from hanro.events.orders import ORDER_FACTS
from hanro.subscriptions import Subscription
from notifier_svc import accounts
from notifier_svc.accounts import AccountChange
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.planning import Known, Plan
from notifier_svc.messages import planning


def on_accounts(access: AccessLog, forget: Callable[[str], None]) -> Subscription[Account, AccountChange]:
    """Copy each account; `forget` drops cached secrets."""
    return Subscription(
        name="notifier.accounts",
        facts=ACCOUNT_FACTS,
        load=accounts.load,
        decide=accounts.decide,
        apply=partial(accounts.apply, access=access, forget=forget),
    )


def on_orders(wake: Callable[[], None]) -> Subscription[Known, Plan]:
    """Plan each milestone that an order has reached; `wake` hears of new plans after the commit."""
    return Subscription(
        name="notifier.orders",
        facts=ORDER_FACTS,
        load=planning.load,
        decide=planning.plan,
        apply=partial(planning.apply, wake=wake),
    )
