"""A new seller's walk, steps 1 to 6, in order, over REST: from nothing linked to an account with all that it may do."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from running_stack import Doors, doors
from sellers import Seller, open_shop

from hanro_local.demo.api import until
from hanro_local.demo.shop import wait_for_state
from hanro_local.stack import DATABASE, Stack

SECONDS = 60.0
STOCK = "inventories.bulk.upsert"


@dataclass
class Walk:
    """Be what the seller has got so far."""

    opened: Doors
    running: Stack
    shop: dict[str, Any] = field(default_factory=dict)
    account_id: str = ""
    preflight_id: str = ""

    @property
    def seller(self) -> Seller:
        """Give the seller with his shop and account."""
        return Seller(self.opened, self.shop, self.account_id)

    async def account(self) -> dict[str, Any]:
        """Look at the account."""
        return await self.seller.account()

    async def rows(self) -> dict[str, dict[str, Any]]:
        """Look at the rows of the preflight that was asked for last."""
        return {row["grant_id"]: row for row in (await self.preflight())["rows"]}

    async def preflight(self) -> dict[str, Any]:
        """Look at the preflight that was asked for last; another one may follow it by itself."""
        path = f"/v1/accounts/{self.account_id}/preflights/{self.preflight_id}"
        found: dict[str, Any] = (await self.opened.hanro.call("GET", path)).json()
        return found

    async def groups(self) -> list[dict[str, Any]]:
        """Look at that preflight by what its rows are needed for."""
        found: list[dict[str, Any]] = (await self.preflight())["groups"]
        return found


@pytest.mark.row("A1", kind="walks")
@pytest.mark.row("A3", kind="walks")
@pytest.mark.row("A4", kind="walks")
@pytest.mark.row("A10", kind="walks")
@pytest.mark.row("A11", kind="walks")
@pytest.mark.row("A19", kind="refuses")
async def test_a_new_seller_links_a_shop(shared_stack: Stack) -> None:
    async with doors(shared_stack) as opened:
        walk = Walk(opened, shared_stack)
        for step in (
            _1_finds_three_marketplaces_and_one_next_step,
            _2_reads_the_guide,
            _3_mistypes_two_fields,
            _4_saves_a_wrong_key,
            _5_saves_the_right_key_while_stock_is_off,
            _6_switches_it_on_and_checks_again,
        ):
            async with asyncio.timeout(SECONDS * 2):
                await step(walk)
        await opened.hanro.call("POST", f"/v1/accounts/{walk.account_id}:disable")


async def _1_finds_three_marketplaces_and_one_next_step(walk: Walk) -> None:
    hanro = walk.opened.hanro
    listed = (await hanro.call("GET", "/v1/marketplaces")).json()["items"]
    assert {"qoo10_japan", "rakuten_france", "rakuten_ichiba"} <= {one["id"] for one in listed}
    internal = (await hanro.call("POST", "/v1/shops", {"display_name": "歩く店"})).json()
    wish = {"marketplace_id": "rakuten_ichiba", "display_name": "歩く店", "shop_ids": [internal["id"]]}
    made = (await hanro.call("POST", "/v1/accounts", wish)).json()
    walk.account_id = made["id"]
    walk.shop = await open_shop(walk.opened.simulator)
    assert (made["state"], made["label"]["ja"], made["reason"]["code"]) == ("draft", "無効", "credentials-missing")
    assert made["next_step"]["text"]["ja"]
    assert made["next_step"]["menu"]["steps"]


async def _2_reads_the_guide(walk: Walk) -> None:
    guide = (await walk.opened.hanro.call("GET", "/v1/marketplaces/rakuten_ichiba")).json()["guide"]
    assert any(step["menu"] and step["menu"]["steps"][0] == "RMS" for step in guide["steps"])
    assert any(step["cost"] and step["cost"]["ja"] and step["cost"]["en"] for step in guide["steps"])
    assert guide["prerequisites"]


async def _3_mistypes_two_fields(walk: Walk) -> None:
    path = f"/v1/accounts/{walk.account_id}/credentials"
    body = walk.seller.form(license_key="ＳＬ９９９００１＿ＡＢＣ", smtp_id=" ")
    refused = (await walk.opened.hanro.call("PUT", path, body, expected=(422,))).json()
    assert {one["pointer"] for one in refused["errors"]} == {"/values/license_key", "/values/smtp_id"}
    assert "ＳＬ９９９００１" not in str(refused)
    assert (await walk.account())["credentials"]["version"] == 0


async def _4_saves_a_wrong_key(walk: Walk) -> None:
    await walk.seller.enter(license_key=f"{walk.shop['license_key'][:-4]}0000")

    async def is_refused() -> bool:
        return bool((await walk.account())["reason"]["code"] == "credential-refused")

    await until(SECONDS, is_refused)
    wrong = await walk.account()
    assert (wrong["state"], wrong["label"]["ja"]) == ("draft", "無効")
    assert wrong["reason"]["marketplace"]["code"] == "GA0001"
    assert wrong["reason"]["marketplace"]["http_status"] == 401
    assert wrong["next_step"]["text"]["ja"]
    assert wrong["next_step"]["step_ids"]


async def _5_saves_the_right_key_while_stock_is_off(walk: Walk) -> None:
    simulator, number = walk.opened.simulator, walk.shop["id"]
    await simulator.call("PUT", f"/_sim/shops/{number}/grants/{STOCK}", {"enabled": False})
    await walk.seller.enter()
    await wait_for_state(walk.opened.hanro, walk.account_id, ("active", "degraded"))
    await _half_an_hour_later(walk)
    await _check_again(walk)
    shown = await wait_for_state(walk.opened.hanro, walk.account_id, ("degraded",))
    assert shown["label"]["ja"] == "有効"
    found = await walk.rows()
    denied = [grant_id for grant_id, row in found.items() if row["state"] == "denied"]
    assert denied == [STOCK]
    assert [one["capability"] for one in await walk.groups() if one["state"] == "lost"] == ["set_stock"]
    assert found[STOCK]["menu"]["steps"]
    assert (shown["next_step"]["grant_id"], bool(shown["next_step"]["step_ids"])) == (STOCK, True)


async def _6_switches_it_on_and_checks_again(walk: Walk) -> None:
    number = walk.shop["id"]
    await walk.opened.simulator.call("PUT", f"/_sim/shops/{number}/grants/{STOCK}", {"enabled": True})
    await _check_again(walk)
    shown = await wait_for_state(walk.opened.hanro, walk.account_id, ("active",))
    assert (shown["grants"]["denied"], shown["lost_capabilities"], shown["next_step"]) == (0, [], None)

    async def is_known() -> bool:
        return bool((await walk.account())["credentials"]["expiries"])

    await until(SECONDS, is_known)
    expiry = (await walk.account())["credentials"]["expiries"][0]
    shop = (await walk.opened.simulator.call("GET", f"/_sim/shops/{number}")).json()
    assert datetime.fromisoformat(expiry["expires_at"]) == datetime.fromisoformat(shop["license_expires_at"])


async def _check_again(walk: Walk) -> None:
    """Press 再チェック and wait until it is answered."""
    hanro = walk.opened.hanro
    asked = await hanro.call("POST", f"/v1/accounts/{walk.account_id}:preflight")

    async def is_done() -> bool:
        operation = (await hanro.call("GET", asked.headers["location"])).json()
        walk.preflight_id = (operation["answer"] or {}).get("preflight_id", "")
        return bool(operation["status"] == "applied")

    await until(SECONDS, is_done)


async def _half_an_hour_later(walk: Walk) -> None:
    """Let the key be old: a young one may still settle, and what is off cannot be told from that."""
    connection = await asyncpg.connect(walk.running.postgres.url(DATABASE), timeout=SECONDS)
    try:
        await connection.execute(
            "update account.credentials set stored_at = stored_at - interval '31 minutes' where account_id = $1",
            walk.account_id,
        )
    finally:
        await connection.close(timeout=SECONDS)
