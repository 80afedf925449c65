"""A marketplace that no service knows is installed, and an account of it is linked: its plug-in alone says how."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from account_bench import prepare
from sample_desk import TOKEN, TYPED, Desk, install, link, opened, preflights

from account_svc.accounts import jobs
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)


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
        groups = {one["capability"]: one["state"] for one in (await preflights(bench, made["id"]))[0]["groups"]}
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
        assert TOKEN not in str(dead) + str(await preflights(bench, made["id"]))[0]
