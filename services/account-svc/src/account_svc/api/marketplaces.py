"""Serves the marketplaces that can be linked."""

from typing import Annotated

from fastapi import APIRouter, Path

from account_svc.accounts.linking import Plugins
from account_svc.api.marketplace_views import (
    MarketplaceDetailShown,
    MarketplacePage,
    show_marketplace,
    show_marketplace_detail,
)
from hanro import web
from hanro.errors import Rejected
from hanro.marketplace.types import MarketplaceId


def make_routes(plugins: Plugins) -> APIRouter:
    """Make the routes of marketplaces."""
    router = web.router(["marketplaces"])

    @router.get("/v1/marketplaces", dependencies=[web.require("marketplaces:read")])
    async def list_marketplaces() -> MarketplacePage:
        """List the marketplaces whose plug-ins are installed, by id."""
        return MarketplacePage(items=[show_marketplace(plugin) for plugin in plugins.values()])

    @router.get("/v1/marketplaces/{marketplace_id}", dependencies=[web.require("marketplaces:read")])
    async def get_marketplace(
        marketplace_id: Annotated[str, Path(max_length=64, description="The plug-in's id")],
    ) -> MarketplaceDetailShown:
        """Show what linking an account needs: the form of its credentials, the guide, grants and capabilities."""
        plugin = plugins.get(MarketplaceId(marketplace_id))
        if plugin is None:
            raise Rejected("This marketplace is not installed here.", code="not-found")
        return show_marketplace_detail(plugin)

    return router
