"""Gathers what account-svc serves on its public port."""

from collections.abc import Mapping

from fastapi import APIRouter

from account_svc.accounts.unlinking.plans import Plans
from account_svc.api import (
    accounts,
    audit,
    checklists,
    credentials,
    diagnostics,
    issuers,
    market,
    marketplaces,
    preflights,
    sheets,
    shops,
    switches,
    unlinking,
)
from account_svc.api.accounts import Desk
from hanro.crypto import Keyring


def make_routers(
    desk: Desk, keyring: Keyring, texts: Mapping[str, Mapping[str, str]], support_contact: str | None
) -> tuple[APIRouter, ...]:
    """Make the routes of all nouns; `texts` are the installation's own, by marketplace and name."""
    db, once, cursors, clock, plugins = desk.db, desk.idempotency, desk.cursors, desk.clock, desk.plugins
    return (
        marketplaces.make_routes(plugins, texts),
        shops.make_routes(db, once, cursors, clock),
        accounts.make_routes(desk),
        credentials.make_routes(desk),
        issuers.make_routes(db, clock),
        switches.make_routes(db, clock),
        audit.make_routes(db, cursors),
        diagnostics.make_routes(desk, support_contact),
        checklists.make_routes(db, clock, plugins, texts),
        sheets.make_routes(db, clock, plugins, keyring, texts),
        market.make_routes(desk),
        preflights.make_routes(db, once, cursors, plugins),
        unlinking.make_routes(once, clock, plugins, Plans(keyring)),
    )
