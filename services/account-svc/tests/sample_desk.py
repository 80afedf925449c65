"""Plays the sample marketplace: installs its plug-in as pip would, and serves what its desk answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from account_bench import Bench, Json, open_bench

from hanro.marketplace import installed
from hanro.testing.http_server import Arrived, HttpServer, answer, http_server
from hanro_local.databases import SchemaUrls

TOKEN = "tok_himitsu-1"
TYPED = {"desk_login": "mihon", "desk_token": TOKEN}


@dataclass
class Desk:
    """Be the marketplace: which token is alive, what is switched off, and what is not answered before it may."""

    token: str = TOKEN
    off: set[str] = field(default_factory=set)
    held: dict[str, asyncio.Event] = field(default_factory=dict)

    async def behave(self, arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        """Tell whether a token has a grant."""
        grant_id = arrived.path.rpartition("/")[2]
        if grant_id in self.held:
            await self.held[grant_id].wait()
        status, code, text = 200, "ok", f"{grant_id} is there"
        if arrived.header("x-desk-token") != self.token:
            status, code, text = 401, "E1", "no such token"
        elif grant_id in self.off:
            status, code, text = 403, "E2", f"{grant_id} is off"
        await answer(json.dumps({"code": code, "text": text}).encode(), status=status)(arrived, writer)

    def hold(self, grant_id: str) -> asyncio.Event:
        """Let a grant's probe wait; the event lets it go on."""
        self.held[grant_id] = asyncio.Event()
        return self.held[grant_id]


def install(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Put the plug-in's metadata on the path: services find it by its entry point."""
    info = folder / "sample_market-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-market\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hanro.marketplaces]\nsample_market = sample_market:plugin\n")
    patch.syspath_prepend(str(folder))
    assert "sample_market" in installed()


@asynccontextmanager
async def opened(urls: SchemaUrls, desk: Desk) -> AsyncIterator[tuple[Bench, HttpServer]]:
    """Open account-svc with the desk in reach."""
    async with http_server(desk.behave) as server, open_bench(urls, addresses={"sample_market": server.url}) as bench:
        yield bench, server


async def link(bench: Bench) -> Json:
    """Link an account of the sample marketplace."""
    shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
    wish = {"marketplace_id": "sample_market", "display_name": "見本", "shop_ids": [shop["id"]]}
    made: Json = (await bench.public.post("/v1/accounts", json=wish)).raise_for_status().json()
    return made


async def preflights(bench: Bench, account_id: str) -> list[Json]:
    """Give the account's preflights, newest first."""
    found: list[Json] = (await bench.public.get(f"/v1/accounts/{account_id}/preflights")).json()["items"]
    return found
