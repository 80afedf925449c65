"""A marketplace that no service knows is installed, and an account of it is linked: its plug-in alone says how."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from account_bench import Bench, Json, open_bench, prepare

from account_svc.accounts import jobs
from hanro.marketplace import installed
from hanro.testing.http_server import Arrived, HttpServer, answer, http_server
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

TOKEN = "tok_himitsu-1"
TYPED = {"desk_login": "mihon", "desk_token": TOKEN}


@dataclass
class Desk:
    """Be the marketplace: which token is alive, and what is switched off."""

    token: str = TOKEN
    off: set[str] = field(default_factory=set)

    async def behave(self, arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        """Tell whether a token has a grant."""
        grant_id = arrived.path.rpartition("/")[2]
        status, code, text = 200, "ok", f"{grant_id} is there"
        if arrived.header("x-desk-token") != self.token:
            status, code, text = 401, "E1", "no such token"
        elif grant_id in self.off:
            status, code, text = 403, "E2", f"{grant_id} is off"
        await answer(json.dumps({"code": code, "text": text}).encode(), status=status)(arrived, writer)


@pytest.fixture(autouse=True)
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the plug-in as pip would: its metadata stands on the path."""
    info = tmp_path / "sample_market-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-market\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hanro.marketplaces]\nsample_market = sample_market:plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "sample_market" in installed()


@asynccontextmanager
async def opened(urls: SchemaUrls, desk: Desk) -> AsyncIterator[tuple[Bench, HttpServer]]:
    async with http_server(desk.behave) as server, open_bench(urls, addresses={"sample_market": server.url}) as bench:
        yield bench, server


async def link(bench: Bench) -> Json:
    shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
    wish = {"marketplace_id": "sample_market", "display_name": "見本", "shop_ids": [shop["id"]]}
    made: Json = (await bench.public.post("/v1/accounts", json=wish)).raise_for_status().json()
    return made


async def last(bench: Bench, account_id: str) -> Json:
    found: Json = (await bench.public.get(f"/v1/accounts/{account_id}/preflights")).json()["items"][0]
    return found


@pytest.mark.row("A1", kind="walks")
@pytest.mark.row("A10", kind="walks")
@pytest.mark.row("A11", kind="walks")
async def test_an_account_is_linked_by_nothing_but_what_its_plug_in_declares(urls: SchemaUrls) -> None:
    desk = Desk(off={"shelf.write"})
    async with opened(urls, desk) as (bench, server):
        listed = (await bench.public.get("/v1/marketplaces")).json()["items"]
        assert "sample_market" in {one["id"] for one in listed}
        detail = (await bench.public.get("/v1/marketplaces/sample_market")).json()
        form = detail["registrations"][0]["form"]
        assert (sorted(form["properties"]), form["required"]) == (
            ["desk_login", "desk_token"],
            ["desk_login", "desk_token"],
        )
        assert [step["id"] for step in detail["guide"]["steps"]] == ["permissions", "token"]

        made = await link(bench)
        assert (made["state"], made["next_step"]["step_ids"]) == ("draft", ["token"])
        mistyped = await bench.public.put(
            f"/v1/accounts/{made['id']}/credentials", json={"values": TYPED | {"desk_login": "a@example.invalid"}}
        )
        assert (mistyped.status_code, mistyped.json()["errors"][0]["pointer"]) == (422, "/values/desk_login")
        await bench.store(made["id"], TYPED)
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK, jobs.EXPIRIES)
        shown = await bench.show(made["id"])
        assert (shown["state"], shown["lost_capabilities"]) == ("degraded", ["set_stock"])
        assert (shown["next_step"]["prerequisite_id"], shown["next_step"]["grant_id"]) == ("permissions", "shelf.write")
        ends = datetime.fromisoformat(shown["credentials"]["expiries"][0]["expires_at"])
        assert timedelta(days=20) < ends - datetime.now(UTC) <= timedelta(days=21)
        groups = {one["capability"]: one["state"] for one in (await last(bench, made["id"]))["groups"]}
        wanted: dict[str | None, str] = dict.fromkeys(("find_orders", "fetch_order", "accept"), "working")
        assert groups == wanted | {"set_stock": "lost", None: "unknown"}
        asked = [one.path for one in server.arrived]
        assert set(asked) == {f"/may/mihon/{name}" for name in ("sales.read", "sales.answer", "shelf.write")}

        desk.off.clear()
        await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        assert (await bench.show(made["id"]))["state"] == "active"


@pytest.mark.row("A11", kind="refuses")
async def test_a_token_that_dies_later_sends_the_seller_to_its_own_page(urls: SchemaUrls) -> None:
    desk = Desk()
    async with opened(urls, desk) as (bench, _):
        made = await link(bench)
        await bench.store(made["id"], TYPED)
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        assert (await bench.show(made["id"]))["state"] == "active"
        desk.token = "tok_another"
        await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        dead = await bench.show(made["id"])
        assert (dead["state"], dead["label"]["ja"], dead["reason"]["code"]) == (
            "suspended",
            "無効",
            "credential-refused",
        )
        assert dead["next_step"]["menu"]["steps"] == ["Seller desk", "Integrations", "Tokens"]
        assert (dead["next_step"]["prerequisite_id"], dead["next_step"]["step_ids"]) == ("token", ["token"])
        assert TOKEN not in str(dead) + str(await last(bench, made["id"]))
