"""Serves the controls of shops: opening, keys, grants, the night run."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from hanro_rakuten_ichiba.simulator.keys import write_authorization
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.operations import GRANTS
from hanro_rakuten_ichiba.simulator.shops import Shop
from simkit.clock import EARLIEST_YEAR, LATEST_YEAR

KeyAction = Literal["issue", "activate", "retire", "expire", "revoke", "restore", "set"]


def _check_year(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"only the years {EARLIEST_YEAR} to {LATEST_YEAR} can be played")
    return moment


PlayedTime = Annotated[AwareDatetime, AfterValidator(_check_year)]


class ShopWish(BaseModel):
    """Describe a shop to open; what is left out is chosen."""

    model_config = ConfigDict(extra="forbid")

    number: str | None = Field(default=None, pattern=r"^\d{1,6}$", description="999001, 999002 … when left out.")
    url: str | None = None
    name: str | None = None
    confirms_automatically: bool = Field(default=False, description="RMS confirms each order as it comes.")
    first_sequence: int | None = Field(
        default=None, ge=1, le=10**9, description="Order numbers of all shops count on from here, never back."
    )


class KeyChange(BaseModel):
    """Describe what happens to the newest key; each action reads its own field."""

    model_config = ConfigDict(extra="forbid")

    active_after_seconds: float | None = Field(default=None, ge=0, le=86_400, description="issue: refused for so long.")
    keeps_old: bool | None = Field(
        default=None, description="issue: the key before works on beside the new one; left out: as the assumptions say."
    )
    expires_at: PlayedTime | None = Field(default=None, description="set: the last second of the key.")


class GrantSetting(BaseModel):
    """Say whether a function may be called."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool
    is_saved: bool = Field(default=True, description="false: chosen in 利用機能編集, without effect until saved.")


def find_shop(market: Market, number: str) -> Shop:
    """Give a shop, or refuse with 404."""
    shop = market.shops.find(number)
    if shop is None:
        raise HTTPException(404, f"there is no shop {number}")
    return shop


def _access(shop: Shop) -> dict[str, object]:
    """Give the shop with its credentials: tests need them, nobody else reaches these controls."""
    return {**shop.to_json(), "authorization": write_authorization(shop.key.credentials), "grants": _grants(shop)}


def _grants(shop: Shop) -> dict[str, bool]:
    return {grant: grant not in shop.disabled_grants for grant in GRANTS}


def _change_key(market: Market, shop: Shop, action: KeyAction, change: KeyChange) -> None:
    match action:
        case "issue":
            market.shops.issue_key(
                shop,
                market.now(),
                active_after_seconds=change.active_after_seconds,
                keeps_old=change.keeps_old,
            )
        case "activate":
            shop.take_key(market.now())
        case "retire":
            shop.end_keys(spared=1)
        case "expire":
            market.shops.expire_key(shop, market.now())
        case "revoke":
            shop.change_key(is_revoked=True)
        case "restore":
            market.shops.restore_key(shop)
        case "set":
            if change.expires_at is None:
                raise HTTPException(422, "expires_at: the action set needs it")
            shop.change_key(expires_at=change.expires_at)


def control_routes(market: Market) -> APIRouter:
    """Make the routes of shops and of the night run."""
    router = APIRouter()
    router.include_router(_shop_routes(market))
    router.include_router(_access_routes(market))
    return router


def _shop_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["shops"])

    @router.post("/_sim/shops", status_code=201)
    async def open_shop(wish: ShopWish | None = None) -> dict[str, object]:
        """Open a shop; answers its credentials."""
        wish = wish or ShopWish()
        try:
            shop = market.open_shop(number=wish.number, url=wish.url, name=wish.name)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
        shop.confirms_automatically = wish.confirms_automatically
        if wish.first_sequence is not None:
            market.skip_to(wish.first_sequence)
        return _access(shop)

    @router.get("/_sim/shops")
    async def list_shops() -> dict[str, object]:
        """List the shops with their credentials."""
        return {"shops": [_access(shop) for shop in market.shops]}

    @router.get("/_sim/shops/{number}")
    async def show_shop(number: str) -> dict[str, object]:
        """Show one shop with its credentials."""
        return _access(find_shop(market, number))

    @router.post("/_sim/night-run")
    async def run_night() -> dict[str, int]:
        """Run the nightly batch now; the one that is due by the clock runs all the same."""
        return {"moved": market.run_night(market.now())}

    return router


def _access_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["access"])

    @router.post("/_sim/shops/{number}/keys/{action}")
    async def change_key(number: str, action: KeyAction, change: KeyChange | None = None) -> dict[str, object]:
        """Issue a key; let the newest be taken now, end all but it, expire, revoke, restore it, set its last second."""
        shop = find_shop(market, number)
        _change_key(market, shop, action, change or KeyChange())
        return _access(shop)

    @router.get("/_sim/shops/{number}/grants")
    async def list_grants(number: str) -> dict[str, bool]:
        """List the functions and whether the key may call them."""
        return _grants(find_shop(market, number))

    @router.put("/_sim/shops/{number}/grants")
    async def set_grants(number: str, settings: dict[str, bool]) -> dict[str, bool]:
        """Switch several functions at once, by name; the others stay as they are."""
        shop = find_shop(market, number)
        unknown = sorted(set(settings) - set(GRANTS))
        if unknown:
            raise HTTPException(404, f"there is no grant {unknown[0]}")
        for grant in settings:
            shop.unsaved_grants.pop(grant, None)
        shop.disabled_grants |= {grant for grant, is_on in settings.items() if not is_on}
        shop.disabled_grants -= {grant for grant, is_on in settings.items() if is_on}
        return _grants(shop)

    @router.put("/_sim/shops/{number}/grants/{grant}")
    async def set_grant(number: str, grant: str, setting: GrantSetting) -> dict[str, bool]:
        """Switch one function on or off (利用機能編集); works at once, or once `functions/save` is called."""
        shop = find_shop(market, number)
        if grant not in GRANTS:
            raise HTTPException(404, f"there is no grant {grant}")
        if not setting.is_saved:
            shop.unsaved_grants[grant] = setting.enabled
            return _grants(shop)
        shop.unsaved_grants.pop(grant, None)
        (shop.disabled_grants.discard if setting.enabled else shop.disabled_grants.add)(grant)
        return _grants(shop)

    return router
