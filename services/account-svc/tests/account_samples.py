"""Makes accounts, grants and rows for tests: synthetic, with as little as each needs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from account_svc.domain.accounts import Account, State
from account_svc.domain.life_cycle import link
from account_svc.domain.preflights import Ground
from hanro.errors import LocalizedText, MenuPath, Refusal
from hanro.marketplace.types import Capability, Grant, GrantState, PreflightRow, ProbeKind, Supported

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY_MENU = MenuPath(steps=("RMS", "アプリ一覧", "詳細"))


def both(text: str) -> LocalizedText:
    """Make a text that is the same in both languages."""
    return LocalizedText(ja=text, en=text)


def account(state: State = State.DRAFT, **changes: object) -> Account:
    """Make an account in a state, with credentials of version 1."""
    made, _ = link(
        "acc_1",
        marketplace_id="rakuten_ichiba",
        display_name="見本店",
        shop_ids=("shp_1",),
        orders_from=None,
        key_menu=KEY_MENU,
        at=NOON,
    )
    return replace(made, **{"state": state, "credential_version": 1, **changes})  # type: ignore[arg-type]


def grant(grant_id: str, probe: ProbeKind = ProbeKind.READ) -> Grant:
    """Make a grant whose menu and remedy are told by its name."""
    menu = MenuPath(steps=("RMS", grant_id))
    return Grant(
        id=grant_id, label=both(grant_id), menu=menu, probe=probe, group="order", remedies=(both(f"fix {grant_id}"),)
    )


GRANTS = (grant("search"), grant("get"), grant("confirm", ProbeKind.REFUSED), grant("relay", ProbeKind.SMTP))


def row(
    grant_id: str, state: GrantState, *, status: int | None = None, retry_at: datetime | None = None
) -> PreflightRow:
    """Make a row; `status` adds a refusal with that HTTP status."""
    refusal = Refusal(code="GA0001", message="Un-Authorised", http_status=status) if status else None
    return PreflightRow(
        grant_id=grant_id, state=state, why="a test says so", checked_at=NOON, refusal=refusal, retry_at=retry_at
    )


def rows(**states: GrantState) -> dict[str, PreflightRow]:
    """Make a row for each grant, granted where nothing else is said."""
    return {one.id: row(one.id, states.get(one.id, GrantState.GRANTED)) for one in GRANTS}


def ground(known: Mapping[str, GrantState] | None = None, *, is_expired: bool = False) -> Ground:
    """Make what rows are judged on: finding orders needs search and get, accepting needs confirm."""
    return Ground(
        grants=GRANTS,
        capabilities={
            Capability.FIND_ORDERS: Supported(grant_ids=frozenset({"search", "get"})),
            Capability.FETCH_ORDER: Supported(grant_ids=frozenset({"get"})),
            Capability.ACCEPT: Supported(grant_ids=frozenset({"get", "confirm"})),
        },
        known=known or {},
        is_expired=is_expired,
        key_menu=KEY_MENU,
    )
