"""Decides which orders are accepted by their account's policy, without anybody asking for each."""

from dataclasses import dataclass
from typing import Literal

from hanro.errors import LocalizedText, Rejected
from order_svc.domain.decisions import check_acceptable
from order_svc.domain.orders import Order

Acceptance = Literal["manual", "automatic"]

BY_POLICY = "policy"
"""Who asks for what a policy asks for."""
PASSING = frozenset({"order-held", "order-quarantined", "not-waiting", "epoch-past"})
"""Why an acceptance was refused that is asked for again by itself once that is over."""
IRREVERSIBLE = LocalizedText(
    ja="「automatic」にすると、新規の受注は自動的にマーケットプレイス側で承諾(注文確認)されます。承諾は取り消せません。",
    en="With `automatic` new orders are accepted at the marketplace by themselves. Accepting cannot be undone there.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Be what an account leaves to hanro. Version 0: nothing was said."""

    version: int = 0
    accept: Acceptance = "manual"


NOTHING_SAID = Policy()


def is_left_to_policy(order: Order) -> bool:
    """Tell whether a policy may accept an order: it waits for that, nothing holds it, and it is new to the seller.

    What a file alone tells of may have been accepted long ago.
    """
    if order.is_backfilled or order.is_from_file:
        return False
    try:
        check_acceptable(order)
    except Rejected:
        return False
    return True
