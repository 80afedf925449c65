"""Serves the relay's part of `/_sim`: mails, inbox page, logins."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from simkit.relay.desk import Desk
from simkit.relay.logins import Login
from simkit.relay.mailbox import mail_to_json
from simkit.relay.pages import inbox_page, mail_page


class LoginSetting(BaseModel):
    """Describe one shop's access to the relay."""

    model_config = ConfigDict(extra="forbid")

    shop: str = Field(min_length=1)
    username: str = Field(min_length=1)
    password: str = Field(min_length=1, repr=False)
    allowed_senders: list[str] = Field(description="Addresses that may stand in MAIL FROM.")

    def to_login(self) -> Login:
        """Give the value that the relay keeps."""
        return Login(self.shop, self.username, self.password, frozenset(self.allowed_senders))


class LoginSettings(BaseModel):
    """Describe all access to the relay."""

    model_config = ConfigDict(extra="forbid")

    logins: list[LoginSetting]


def _login_json(login: Login) -> dict[str, object]:
    return {"shop": login.shop, "username": login.username, "allowed_senders": sorted(login.allowed_senders)}


def login_routes(desk: Desk) -> APIRouter:
    """Make the routes that give and take access; passwords are never shown."""
    router = APIRouter(tags=["relay"])

    @router.get("/_sim/relay/logins")
    async def list_logins() -> dict[str, list[dict[str, object]]]:
        """List the logins without their passwords."""
        return {"logins": [_login_json(login) for login in desk.logins.list()]}

    @router.put("/_sim/relay/logins")
    async def replace_logins(settings: LoginSettings) -> dict[str, list[dict[str, object]]]:
        """Hold exactly these logins."""
        desk.logins.replace(setting.to_login() for setting in settings.logins)
        return {"logins": [_login_json(login) for login in desk.logins.list()]}

    @router.put("/_sim/relay/logins/{username}")
    async def put_login(username: str, setting: LoginSetting) -> dict[str, object]:
        """Add one login, or replace it; the others stay."""
        if setting.username != username:
            raise HTTPException(422, "username: differs from the one in the path")
        desk.logins.put(setting.to_login())
        return _login_json(setting.to_login())

    @router.delete("/_sim/relay/logins/{username}", status_code=204)
    async def remove_login(username: str) -> None:
        """Take one login away; a conversation that it opened can send no further mail."""
        if not desk.logins.remove(username):
            raise HTTPException(404, "there is no such login")

    return router


def mail_routes(desk: Desk) -> APIRouter:
    """Make the routes that show the mails."""
    router = APIRouter(tags=["relay"])

    @router.get("/_sim/mails")
    async def list_mails(
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        recipient: Annotated[str | None, Query(description="An envelope recipient.")] = None,
    ) -> dict[str, object]:
        """List mails, oldest first; pass `next` as `after` for what follows."""
        mails = desk.mailbox.list(after, limit, recipient)
        return {
            "mails": [mail_to_json(mail) for mail in mails],
            "next": mails[-1].id if mails else after,
            "total": len(desk.mailbox),
        }

    @router.get("/_sim/mails/{mail_id}")
    async def show_mail(mail_id: int) -> dict[str, object]:
        """Show one mail."""
        mail = desk.mailbox.find(mail_id)
        if mail is None:
            raise HTTPException(404, f"there is no mail {mail_id}")
        return mail_to_json(mail)

    @router.get("/_sim/inbox", response_class=HTMLResponse)
    async def show_inbox() -> str:
        """Draw the newest 200 mails for people."""
        return inbox_page(desk.mailbox.newest(200), len(desk.mailbox))

    @router.get("/_sim/inbox/{mail_id}", response_class=HTMLResponse)
    async def show_mail_page(mail_id: int) -> str:
        """Draw one mail for people."""
        mail = desk.mailbox.find(mail_id)
        if mail is None:
            raise HTTPException(404, f"there is no mail {mail_id}")
        return mail_page(mail)

    return router


def relay_routes(desk: Desk) -> APIRouter:
    """Make all routes of a relay."""
    router = APIRouter()
    router.include_router(login_routes(desk))
    router.include_router(mail_routes(desk))
    return router
