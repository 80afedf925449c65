"""Diagnostics bundles over HTTP on a real Postgres: all that support asks for, and nothing else."""

import pytest
from account_bench import Bench, Simulator, credentials_of, prepare

from hanro.testing.callers import bearer

pytestmark = pytest.mark.schema("account", prepare)

LARGEST = 256 * 1024


@pytest.mark.row("A18", kind="walks")
async def test_a_bundle_tells_what_was_tried_and_refused_and_holds_no_secret(bench: Bench, market: Simulator) -> None:
    made = await bench.link("CANARY-name 秘密")
    shop = market.open_shop()
    values = credentials_of(shop) | {"license_key": "SL1_CANARY-wrong"}
    await bench.store(made["id"], values)
    await bench.check_due()
    tick = {"state": "applied", "at": "2026-06-01T00:00:00Z"}
    ticked = await bench.public.put(f"/v1/accounts/{made['id']}/checklist/bulk_editing", json=tick)
    assert ticked.status_code == 200, ticked.text
    answer = await bench.public.get(f"/v1/accounts/{made['id']}/diagnostics")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{made["id"]}-diagnostics.json"'
    assert told["account"]["reason_code"] == "credential-refused"
    assert "license_key" in told["account"]["credential_fields"]
    assert any(row["refusal"] for row in told["preflights"][0]["rows"])
    assert [deed["action"] for deed in told["tried"]] == ["tick-checklist", "preflight", "store-credentials", "link"]
    items = {one["id"]: one for one in told["checklist"]}
    assert told["registration"] == "own_application"
    assert (items["bulk_editing"]["state"], items["bulk_editing"]["reached_at"]) == ("applied", tick["at"])
    assert (items["terms"]["state"], items["terms"]["reached_at"]) == ("open", None)
    assert "rpay.order.searchOrder" in items["functions"]["unproven_grant_ids"]
    assert told["operations"][0]["kind"] == "preflight"
    assert told["software"]["marketplaces"]
    assert ticked.json()["reached"][0]["ticked_by"] not in answer.text
    for canary in ("CANARY", "秘密", *values.values()):
        assert canary not in answer.text, canary
    assert len(answer.content) < LARGEST


@pytest.mark.row("A18", kind="refuses")
async def test_a_bundle_is_given_to_those_alone_who_may_see_the_account(bench: Bench) -> None:
    made = await bench.link()
    target = f"/v1/accounts/{made['id']}/diagnostics"
    assert (await bench.public.get(target, headers=bearer("accounts:read", shops=("shp_x",)))).status_code == 403
    assert (await bench.public.get(target, headers=bearer("orders:read"))).status_code == 403
    assert (await bench.public.get("/v1/accounts/acc_none/diagnostics")).status_code == 404
