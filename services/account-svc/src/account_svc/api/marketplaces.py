"""Serves the marketplaces that can be linked."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from account_svc.accounts.linking import Plugins
from account_svc.api.guide_shapes import GuideShown
from account_svc.api.guide_views import show_guide
from account_svc.api.marketplace_views import (
    MarketplaceDetailShown,
    MarketplacePage,
    show_marketplace,
    show_marketplace_detail,
)
from hanro import web
from hanro.errors import Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId

MarketplaceName = Annotated[str, Path(max_length=64, description="An id of `GET /v1/marketplaces`")]


def make_routes(plugins: Plugins, texts: Mapping[str, Mapping[str, str]]) -> APIRouter:
    """Make the routes of marketplaces; `texts` are what the installation says of itself, by marketplace."""
    router = web.router(["marketplaces"])

    @router.get("/v1/marketplaces", dependencies=[web.require("marketplaces:read")])
    async def list_marketplaces() -> MarketplacePage:
        """List the marketplaces whose plug-ins are installed, by id."""
        return MarketplacePage(items=[show_marketplace(plugin) for plugin in plugins.values()])

    @router.get("/v1/marketplaces/{marketplace_id}", dependencies=[web.require("marketplaces:read")])
    async def get_marketplace(
        marketplace_id: MarketplaceName,
    ) -> MarketplaceDetailShown:
        """Show what linking an account needs: the form of its credentials, the guide, grants and capabilities."""
        plugin = _get(plugins, marketplace_id)
        return show_marketplace_detail(plugin, texts.get(plugin.id, {}))

    @router.get("/v1/marketplaces/{marketplace_id}/guide", dependencies=[web.require("marketplaces:read")])
    async def get_guide(marketplace_id: MarketplaceName) -> GuideShown:
        """Show how to come to an account: steps, menu paths, mails to expect, costs, traps."""
        plugin = _get(plugins, marketplace_id)
        return show_guide(plugin.guide, texts.get(plugin.id, {}))

    return router


def _get(plugins: Plugins, marketplace_id: str) -> Plugin:
    plugin = plugins.get(MarketplaceId(marketplace_id))
    if plugin is None:
        raise Rejected("This marketplace is not installed here.", code="not-found")
    return plugin
