"""Decides whether a wish may be sent for an account now, has to rest, or is only written down as a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hanro.errors import NeedsSeller, Rejected
from hanro.marketplace.permits import Work, missing_grant, switched_off
from hanro.marketplace.types import Capability, Grant, Plan, Support
from order_svc.domain.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Be what a marketplace can do with orders, and the grants that it takes, in the plug-in's order."""

    supports: Mapping[Capability, Support]
    grants: Sequence[Grant] = ()


def obstacle(account: Account, ability: Ability | None, capability: Capability) -> NeedsSeller | None:
    """Say what is in the way of a capability: orders are switched off (orders-off), or a grant is lost (grant-missing).

    Whether the account works is not asked here; None: nothing is in the way.
    """
    if not account.switches.orders:
        return switched_off(Work.ORDERS)
    if ability is None:
        return None
    return missing_grant(ability.grants, capability, ability.supports.get(capability), account.lost_grants)


def planned(plan: Plan) -> list[dict[str, object]] | Rejected:
    """Write down the requests that would have gone, without bodies; Rejected where it would be refused."""
    blocking = next((problem for problem in plan.problems if problem.is_blocking), None)
    if blocking is not None:
        return Rejected(blocking.message.en, code=blocking.code, field=blocking.pointer, remedy=blocking.message)
    return [
        {"method": call.method, "url": call.url, "purpose": call.purpose, "groups": list(call.groups)}
        for call in plan.calls
    ]
