"""Decides whether orders may be read because somebody asks: some again by number, or all of a stretch of time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hanro.errors import LocalizedText, MenuPath, NeedsSeller, Rejected
from hanro.marketplace.types import Capability, Detail, Route, RouteKind, Window
from order_svc.domain.accounts import Account
from order_svc.domain.decisions import check_supported
from order_svc.domain.permits import Ability, obstacle
from order_svc.domain.windows import oldest_of

FETCH, BACKFILL = "fetch", "backfill"
KINDS = (FETCH, BACKFILL)
CURSOR = "backfill:"
OF_DETAILS: Mapping[Detail, Capability] = {Detail.PAYMENT: Capability.READ_PAYMENTS}
"""What a marketplace must be able to do to tell a detail that may be asked for."""
BY_CSV = LocalizedText(
    ja="この期間の受注はモールのAPIでは取得できません。モールの管理画面からCSVをダウンロードして取り込んでください。",
    en="The marketplace's API no longer shows these orders. Download them there as CSV and import that.",
)


def check_readable(account: Account, ability: Ability | None, capability: Capability) -> None:
    """Let orders of an account be read only where the marketplace gives them and nothing of the seller is in the way.

    Raises:
        Unsupported: the marketplace does not, or it is not installed (absent).
        NeedsSeller: the account is not active, its orders are switched off (orders-off), or a grant is lost
            (grant-missing).
    """
    check_supported(ability.supports.get(capability) if ability else None)
    if not account.is_working:
        raise NeedsSeller("the account is not active, so nothing is read for it", code=reason_of(account))
    if hindered := obstacle(account, ability, capability):
        raise hindered


def needed_of(kind: str, details: Iterable[Detail]) -> list[Capability]:
    """Give what a marketplace must be able to do for what was asked."""
    if kind != FETCH:
        return [Capability.FIND_ORDERS]
    return [Capability.FETCH_ORDER, *(OF_DETAILS[detail] for detail in sorted(details))]


def details_of(asked: Mapping[str, object]) -> frozenset[Detail]:
    """Give the details that orders are asked for with, out of what was written down."""
    names = asked.get("details")
    return frozenset(Detail(name) for name in names) if isinstance(names, list) else frozenset()


def reason_of(account: Account) -> str:
    """Give the code of why an account does not work."""
    return account.reason_code or "account-inactive"


def routes_back(routes: Sequence[Route]) -> list[Route]:
    """Give the routes that show orders of a stretch of time; a sweep looks at its whole reach anyway."""
    return [route for route in routes if route.is_windowed and route.kind is not RouteKind.SWEEP]


def stretch(routes: Sequence[Route], start: datetime, end: datetime, *, at: datetime, menu: MenuPath | None) -> Window:
    """Give the stretch of time to read, up to now; `menu` is where the marketplace gives older orders as a file.

    Raises:
        Rejected: it is none (stretch-empty), lies ahead (not-yet), or begins before what a route shows (beyond-reach).
    """
    if start >= end:
        raise Rejected("`from` must lie before `to`", code="stretch-empty", field="/from")
    end = min(end, at)
    if start >= end:
        raise Rejected("this stretch of time has not begun yet", code="not-yet", field="/from")
    for route in routes:
        oldest = oldest_of(route, at)
        if oldest is not None and start < oldest:
            raise Rejected(
                f"the marketplace shows no order before {oldest.isoformat()} by {route.name}; ask from then on",
                code="beyond-reach",
                field="/from",
                remedy=BY_CSV,
                menu=menu,
            )
    return Window(start=start, end=end)
