"""Says why a piece of work is not begun for an account: it is switched off, or a grant that it needs is lost."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from hanro.errors import LocalizedText, NeedsSeller
from hanro.marketplace.types.enums.rules import Capability
from hanro.marketplace.types.linking import Grant, Support, Supported


class Work(StrEnum):
    """Name what can be switched off for an account."""

    ORDERS = "orders"
    STOCK = "stock"
    LISTINGS = "listings"
    MESSAGES = "messages"


_NAMES = {
    Work.ORDERS: LocalizedText(ja="受注", en="orders"),
    Work.STOCK: LocalizedText(ja="在庫", en="stock"),
    Work.LISTINGS: LocalizedText(ja="出品", en="listings"),
    Work.MESSAGES: LocalizedText(ja="メッセージ", en="messages"),
}


def switched_off(work: Work) -> NeedsSeller:
    """Make the error of work that the seller's staff switched off; code "orders-off" and the like."""
    name = _NAMES[work]
    return NeedsSeller(
        f"The account's switch for {name.en} is off.",
        code=f"{work.value}-off",
        remedy=LocalizedText(
            ja=f"アカウントの「{name.ja}」のスイッチを入れてください。",
            en=f"Switch the account's {name.en} on.",
        ),
    )


def missing_grant(
    grants: Sequence[Grant], capability: Capability, support: Support | None, lost_grants: Collection[str]
) -> NeedsSeller | None:
    """Make the error of a capability that a lost grant takes away, naming the first in the plug-in's order.

    None where nothing is lost; code "grant-missing".
    """
    if not isinstance(support, Supported):
        return None
    lost = support.grant_ids & frozenset(lost_grants)
    for grant in grants:
        if grant.id in lost:
            return lost_grant(grant, f"the capability {capability.value} is lost")
    return None


def lost_grant(grant: Grant, so: str) -> NeedsSeller:
    """Make the error of a grant that is lost; `so` says in English what cannot be done for want of it."""
    return NeedsSeller(
        f"{so[:1].upper()}{so[1:]}: the grant {grant.id} is not there.",
        code="grant-missing",
        grant_id=grant.id,
        remedy=grant.remedies[0] if grant.remedies else None,
        menu=grant.menu,
    )
