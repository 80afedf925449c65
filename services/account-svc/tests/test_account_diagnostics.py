"""Diagnostics bundles over HTTP on a real Postgres: all that support asks for, and nothing else."""

from collections.abc import AsyncIterator, Iterator

import pytest
from account_bench import Bench, Simulator, credentials_of, open_bench, prepare, simulator

from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

LARGEST = 256 * 1024


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("market")) as running:
        yield running


@pytest.fixture
async def bench(urls: SchemaUrls, market: Simulator) -> AsyncIterator[Bench]:
    market.reset()
    async with open_bench(urls, market) as opened:
        yield opened


@pytest.mark.row("A18", kind="walks")
async def test_a_bundle_tells_what_was_tried_and_refused_and_holds_no_secret(bench: Bench, market: Simulator) -> None:
    made = await bench.link("CANARY-name 秘密")
    shop = market.open_shop()
    values = credentials_of(shop) | {"license_key": "SL1_CANARY-wrong"}
    await bench.store(made["id"], values)
    await bench.check_due()
    answer = await bench.public.get(f"/v1/accounts/{made['id']}/diagnostics")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{made["id"]}-diagnostics.json"'
    assert told["account"]["reason_code"] == "credential-refused"
    assert "license_key" in told["account"]["credential_fields"]
    assert any(row["refusal"] for row in told["preflights"][0]["rows"])
    assert [deed["action"] for deed in told["tried"]] == ["preflight", "store-credentials", "link"]
    assert told["operations"][0]["kind"] == "preflight"
    assert told["software"]["marketplaces"]
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
