"""Serves the controls of a shop's account: sub-users, contracts, functions, the developer's application, mail."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from hanro_rakuten_ichiba.simulator.controls import find_shop
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.operations import GRANTS
from hanro_rakuten_ichiba.simulator.shop_contracts import Contract, Option, list_functions
from hanro_rakuten_ichiba.simulator.shop_events import Application, first_mail, second_mail
from hanro_rakuten_ichiba.simulator.shop_staff import SubUser, invitation, registration
from hanro_rakuten_ichiba.simulator.shops import Shop

_Text = Annotated[str, Field(min_length=1, max_length=100)]
_Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)]


class Invitation(BaseModel):
    """Hold what is typed under 利用者追加."""

    model_config = ConfigDict(extra="forbid")

    last_name: _Text
    first_name: _Text
    mail: _Address
    mail_again: _Address = Field(description="メールアドレス(確認): must be the same.")
    registration_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,20}$")]
    affiliation: _Text


class Permissions(BaseModel):
    """Say what a sub-user may do."""

    model_config = ConfigDict(extra="forbid")

    permissions: list[_Text] = Field(max_length=100)


class ContractSetting(BaseModel):
    """Say how far a contract is."""

    model_config = ConfigDict(extra="forbid")

    state: Contract


class ApplicationWish(BaseModel):
    """Describe a developer's application."""

    model_config = ConfigDict(extra="forbid")

    company: _Text
    start_day: date = Field(description="利用開始予定日 of the second mail.")


def account_routes(market: Market) -> APIRouter:
    """Make the routes of what a shop agreed on with the marketplace, and with whom."""
    router = APIRouter()
    router.include_router(_list_routes(market))
    router.include_router(_staff_routes(market))
    router.include_router(_contract_routes(market))
    router.include_router(_application_routes(market))
    return router


def _list_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["R-Login"])

    @router.get("/_sim/shops/{number}/sub-users")
    async def list_sub_users(number: str) -> dict[str, object]:
        """List the sub-users with their 利用状況."""
        return {"sub_users": [user.to_json() for user in find_shop(market, number).staff]}

    @router.get("/_sim/shops/{number}/notices")
    async def list_notices(number: str) -> dict[str, object]:
        """List what the marketplace wrote about this shop, oldest first; the inbox has it too where a relay runs."""
        return {"notices": [notice.to_json() for notice in find_shop(market, number).notices]}

    @router.delete("/_sim/shops/{number}/sub-users/{user_id}", status_code=204)
    async def remove(number: str, user_id: int) -> None:
        """Take a sub-user away."""
        shop = find_shop(market, number)
        del shop.staff[_find_user(shop, user_id)]

    return router


def _staff_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["R-Login"])

    @router.post("/_sim/shops/{number}/sub-users", status_code=201)
    async def invite(number: str, wish: Invitation) -> dict[str, object]:
        """Invite a sub-user: the invitation is sent to the address typed."""
        shop = find_shop(market, number)
        if wish.mail != wish.mail_again:
            raise HTTPException(422, "mail_again: differs from mail")
        if any(user.mail == wish.mail for user in shop.staff):
            raise HTTPException(409, "this address was invited already")
        user = SubUser(
            id=max((one.id for one in shop.staff), default=0) + 1,
            last_name=wish.last_name,
            first_name=wish.first_name,
            mail=wish.mail,
            registration_number=wish.registration_number,
            affiliation=wish.affiliation,
            invited_at=market.now(),
        )
        shop.staff.append(user)
        market.write_to(shop, invitation(user, market.now()))
        return user.to_json()

    @router.post("/_sim/shops/{number}/sub-users/{user_id}/register")
    async def register(number: str, user_id: int) -> dict[str, object]:
        """Let the invited one register: 承認待ち, and the shop's shared address is told."""
        shop = find_shop(market, number)
        place = _find_user(shop, user_id)
        user = shop.staff[place]
        if user.registered_at is None:
            shop.staff[place] = user.register(market.now())
            market.write_to(shop, registration(user, shop.shared_address, market.now()))
        return shop.staff[place].to_json()

    @router.post("/_sim/shops/{number}/sub-users/{user_id}/approve")
    async def approve(number: str, user_id: int, setting: Permissions) -> dict[str, object]:
        """Let the shop approve a registered one with permissions: 利用可能."""
        shop = find_shop(market, number)
        place = _find_user(shop, user_id)
        try:
            shop.staff[place] = shop.staff[place].approve(tuple(setting.permissions), market.now())
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
        return shop.staff[place].to_json()

    return router


def _contract_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["contracts"])

    @router.get("/_sim/shops/{number}/contracts")
    async def list_contracts(number: str) -> dict[str, object]:
        """List the options and how far their contracts are."""
        return find_shop(market, number).contracts.to_json()

    @router.put("/_sim/shops/{number}/contracts/{option}")
    async def set_contract(number: str, option: Option, setting: ContractSetting) -> dict[str, object]:
        """Contract an option, apply for it, or end it: what needs it is refused from then on."""
        shop = find_shop(market, number)
        shop.contracts.states[option] = setting.state
        return shop.contracts.to_json()

    @router.get("/_sim/shops/{number}/functions")
    async def show_functions(
        number: str, *, editing: Annotated[bool, Query(description="利用機能編集 was pressed.")] = False
    ) -> dict[str, object]:
        """Show 利用機能一覧: functions in use alone, or all of them while they are edited."""
        shop = find_shop(market, number)
        return {"functions": list_functions(GRANTS, shop.disabled_grants, shop.unsaved_grants, is_editing=editing)}

    @router.post("/_sim/shops/{number}/functions/save")
    async def save_functions(number: str) -> dict[str, object]:
        """Press 登録する on the confirmation page: what was chosen works from now on."""
        shop = find_shop(market, number)
        for grant, is_on in shop.unsaved_grants.items():
            (shop.disabled_grants.discard if is_on else shop.disabled_grants.add)(grant)
        shop.unsaved_grants.clear()
        return {"functions": list_functions(GRANTS, shop.disabled_grants, shop.unsaved_grants, is_editing=False)}

    @router.post("/_sim/shops/{number}/functions/leave", status_code=204)
    async def leave_functions(number: str) -> None:
        """Leave 利用機能編集 without saving: what was chosen is forgotten."""
        find_shop(market, number).unsaved_grants.clear()

    @router.post("/_sim/shops/{number}/mail-login/{action}")
    async def change_mail_login(number: str, action: Literal["issue", "change", "revoke"]) -> dict[str, object]:
        """Issue another SMTP AUTH id and password, change the password alone, or revoke the login."""
        shop = find_shop(market, number)
        market.change_mail_login(shop, action)
        return {
            "smtp_username": shop.mail.username,
            "smtp_password": shop.mail.password,
            "is_revoked": shop.is_mail_revoked,
        }

    return router


def _application_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["event notification"])

    @router.get("/_sim/shops/{number}/event-notification")
    async def show_application(number: str) -> dict[str, object]:
        """Show the developer's application, and from when events are delivered."""
        return _show(_find_application(find_shop(market, number)))

    @router.post("/_sim/shops/{number}/event-notification/apply", status_code=201)
    async def apply(number: str, wish: ApplicationWish) -> dict[str, object]:
        """Let a developer apply: the first mail asks the shop to approve the access. Applied again it begins anew."""
        shop = find_shop(market, number)
        shop.application = Application(wish.company, wish.start_day, market.now())
        shop.contracts.states["event_notification"] = "applied"
        market.write_to(shop, first_mail(shop.application, shop.url, shop.shared_address))
        return _show(shop.application)

    @router.post("/_sim/shops/{number}/event-notification/approve-access")
    async def approve_access(number: str) -> dict[str, object]:
        """Approve the access (アクセス承認)."""
        shop = find_shop(market, number)
        shop.application = _find_application(shop).approve_access(market.now())
        return _show(shop.application)

    @router.post("/_sim/shops/{number}/event-notification/check")
    async def check(number: str) -> dict[str, object]:
        """Check the connection with the newest key; the second mail is sent once that has passed."""
        shop = find_shop(market, number)
        before = _find_application(shop)
        is_valid = shop.key.judge(market.now()) == "valid"
        try:
            shop.application = before.check(market.now(), is_key_valid=is_valid)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
        if before.checked_at is None:
            market.write_to(shop, second_mail(shop.application, shop.url, shop.shared_address, market.now()))
        return _show(shop.application)

    @router.post("/_sim/shops/{number}/event-notification/approve")
    async def approve(number: str) -> dict[str, object]:
        """Approve the notification; it is delivered from `effective_at` on."""
        shop = find_shop(market, number)
        try:
            shop.application = _find_application(shop).approve(market.now())
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
        shop.contracts.states["event_notification"] = "contracted"
        return _show(shop.application)

    def _show(application: Application) -> dict[str, object]:
        return application.to_json(market.now())

    return router


def _find_user(shop: Shop, user_id: int) -> int:
    for place, user in enumerate(shop.staff):
        if user.id == user_id:
            return place
    raise HTTPException(404, f"there is no sub-user {user_id}")


def _find_application(shop: Shop) -> Application:
    if shop.application is None:
        raise HTTPException(409, "no developer has applied for this shop")
    return shop.application
