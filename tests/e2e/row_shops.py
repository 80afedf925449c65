"""Gives the row tests a shop that is linked once a run, drafts of their own, and callers of some internal shops alone.

What is kept between tests are values: each test opens its doors anew.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from running_stack import Doors, doors
from sellers import Seller, open_sellers, open_shop, place_in_journal

from hanro_local import issuer
from hanro_local.demo.api import Api, until
from hanro_local.issuer import Claims
from hanro_local.issuer_state import PUBLIC_SCOPES
from hanro_local.stack import DATABASE, Stack

SECONDS = 60.0
ANY_VERSION = {"If-Match": "*"}
MASKED = "0123456789abcdef0123456789abcdefs9@pc.fw.rakuten.ne.jp"
KEY_LIVES = timedelta(days=2, hours=12)
"""The linked shop's key ends so soon, so that its end is told from the first moment."""


@dataclass(frozen=True)
class Kept:
    """Be the linked shop as values."""

    shop: dict[str, Any]
    account_id: str
    begun: int


@dataclass
class Row:
    """Be what a row test has: a seller with account and shop, and the whole stack where it must look behind."""

    running: Stack
    seller: Seller

    @property
    def doors(self) -> Doors:
        """Give the doors of the stack."""
        return self.seller.doors

    @property
    def path(self) -> str:
        """Give the account's path."""
        return f"/v1/accounts/{self.seller.account_id}"

    async def ask(self, method: str, suffix: str, body: object = None, **how: Any) -> Any:
        """Ask something of the account, and give what is answered as JSON; `how` as `Api.call` takes it."""
        answer = await self.doors.hanro.call(method, f"{self.path}{suffix}", body, **how)
        return answer.json() if answer.content else None

    async def done(self, suffix: str, body: object = None) -> dict[str, Any]:
        """Ask for something that is done later, and give its operation once it is over."""
        operation: dict[str, Any] = await self.ask("POST", suffix, body, expected=(202,))

        async def is_over() -> bool:
            path = f"/v1/account/operations/{operation['id']}"
            operation.update((await self.doors.hanro.call("GET", path)).json())
            return operation["status"] in {"applied", "rejected"}

        await until(SECONDS, is_over)
        return operation

    async def tick(self, item: str, state: str, **said: object) -> dict[str, Any]:
        """Tick an item of the checklist."""
        ticked: dict[str, Any] = await self.ask("PUT", f"/checklist/{item}", {"state": state} | said)
        return ticked

    async def became(self, **wanted: object) -> dict[str, Any]:
        """Wait until members of the account have these values, and give it."""
        found: dict[str, Any] = {}

        async def is_so() -> bool:
            found.update(await self.seller.account())
            return all(found[name] == value for name, value in wanted.items())

        try:
            await until(SECONDS, is_so)
        except TimeoutError:
            told = {name: found.get(name) for name in (*wanted, "reason")}
            raise AssertionError(f"after {SECONDS:.0f} s: {told}") from None
        return found

    async def facts(self, kind: str) -> list[dict[str, Any]]:
        """Give what the account's facts of a type said, in their order."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self.doors.hanro.call("GET", f"/v1/account/events?after={after}&limit=200")).json()
            if not page["items"]:
                return found
            mine = [one for one in page["items"] if one["subject"] == self.seller.account_id]
            found += [one["data"] for one in mine if one["type"] == f"hanro.account.{kind}.v1"]
            after = page["next"]

    async def deeds(self) -> list[tuple[str, list[str]]]:
        """Give what people did to the account, the newest first: action and changed names."""
        path = f"/v1/account/audit?account_id={self.seller.account_id}&limit=200"
        items = (await self.doors.hanro.call("GET", path)).json()["items"]
        return [(one["action"], one["changed"]) for one in items]

    async def simulator(self, method: str, suffix: str, body: object = None, **how: Any) -> Any:
        """Use a control of the shop at the marketplace, and give what it answers."""
        path = f"/_sim/shops/{self.seller.shop['id']}{suffix}"
        answer = await self.doors.simulator.call(method, path, body, **how)
        return answer.json() if answer.content else None

    def caller(self, *shop_ids: str, scopes: tuple[str, ...] = PUBLIC_SCOPES) -> Api:
        """Give a caller of these internal shops alone."""
        claims = Claims(subject="row-caller", scopes=scopes, shops=shop_ids)
        token = issuer.mint(self.running.state / "issuer", claims, datetime.now(UTC))
        return Api(self.doors.hanro.client, self.doors.hanro.base, token)

    async def look_behind(self, sql: str, *values: object) -> None:
        """Play that time has passed: change the account's rows; `$1` is its id."""
        connection = await asyncpg.connect(self.running.postgres.url(DATABASE), timeout=SECONDS)
        try:
            await connection.execute(sql, self.seller.account_id, *values)
        finally:
            await connection.close(timeout=SECONDS)

    async def hurry(self, seconds: float, is_done: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so, and play meanwhile that account-svc's small part of the rate is no wait."""
        now = "update account.pacer set ready_at = least(ready_at, now()) where account_id = $1"

        async def look() -> bool:
            await self.look_behind(now)
            return await is_done()

        await until(seconds, look)

    async def reason_became(self, code: str) -> dict[str, Any]:
        """Wait until the account's one reason is this one, and give the account."""
        found: dict[str, Any] = {}

        async def is_so() -> bool:
            found.update(await self.seller.account())
            return found["reason"] is not None and found["reason"]["code"] == code

        try:
            await until(SECONDS, is_so)
        except TimeoutError:
            raise AssertionError(f"after {SECONDS:.0f} s: {found['state']}, {found['reason']}") from None
        return found

    async def age_key(self) -> None:
        """Let the key be old: a young one may still settle, and what is off cannot be told from that."""
        older = "update account.credentials set stored_at = stored_at - interval '31 minutes' where account_id = $1"
        await self.look_behind(older)


@pytest.fixture(scope="session")
def kept_shop(shared_stack: Stack) -> Kept:
    """Link a shop with its mail relay and its own masked address, once a run."""

    async def act() -> Kept:
        async with doors(shared_stack) as opened:
            begun = await place_in_journal(opened)
            shop = await open_shop(opened.simulator)
            ends = (datetime.now(UTC) + KEY_LIVES).replace(microsecond=0).isoformat()
            await opened.simulator.call("POST", f"/_sim/shops/{shop['id']}/keys/set", {"expires_at": ends})
            internal = (await opened.hanro.call("POST", "/v1/shops", {"display_name": "行の店"})).json()
            wish = {"marketplace_id": "rakuten_ichiba", "display_name": "行の店", "shop_ids": [internal["id"]]}
            account = (await opened.hanro.call("POST", "/v1/accounts", wish)).json()
            seller = Seller(opened, shop, account["id"])
            await seller.enter(masked_address=MASKED)
            await Row(shared_stack, seller).became(is_working=True)
            return Kept(shop, account["id"], begun)

    return asyncio.run(act())


@pytest.fixture
async def working(shared_stack: Stack, kept_shop: Kept) -> AsyncIterator[Row]:
    """Give the linked shop; leave it as it was."""
    async with doors(shared_stack) as opened:
        yield Row(shared_stack, Seller(opened, dict(kept_shop.shop), kept_shop.account_id, kept_shop.begun))


@pytest.fixture
async def draft(shared_stack: Stack) -> AsyncIterator[Row]:
    """Give a shop of the test's own, and a draft without credentials."""
    async with open_sellers(shared_stack, "下書き店") as sellers:
        seller = sellers["下書き店"]
        yield Row(shared_stack, seller)
