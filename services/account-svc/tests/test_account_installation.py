"""The operator supplies the service secret once for all shops of a developer application; sellers are not asked."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from account_bench import Bench, Json, Simulator, credentials_of, open_bench, prepare

from account_svc.accounts import jobs
from account_svc.settings import AccountSettings
from hanro.settings import SettingsRefused
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets.json"


def supply(file: Path, secret: str) -> None:
    """Put the operator's values in the place of others, as a mounted secret is exchanged: all at once."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({"rakuten_ichiba": {"service_secret": secret}}))
    draft.rename(file)


def spoil(file: Path) -> None:
    """Leave something in the file that nobody can read."""
    file.write_text("no JSON, and a secret")


@pytest.fixture
async def bench(urls: SchemaUrls, market: Simulator, file: Path) -> AsyncIterator[Bench]:
    market.reset()
    supply(file, "")
    async with open_bench(urls, market, folder=file.parent) as opened:
        yield opened


def typed(shop: Json) -> dict[str, object]:
    values = {name: text for name, text in credentials_of(shop).items() if name != "service_secret"}
    return {"values": values, "registration": "developer_application"}


@pytest.mark.row("A5", kind="walks")
async def test_a_shop_of_a_developer_application_types_its_licence_key_alone(
    bench: Bench, market: Simulator, file: Path
) -> None:
    shop = market.open_shop()
    supply(file, shop["service_secret"])
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/credentials"
    assert (await bench.public.put(path, json=typed(shop))).status_code == 202
    await bench.check_due(jobs.PREFLIGHT)
    shown = await bench.show(made["id"])
    assert (shown["state"], shown["credentials"]["registration"]) == ("active", "developer_application")
    stored = {one["name"]: one["is_stored"] for one in shown["credentials"]["fields"]}
    assert (stored["service_secret"], stored["license_key"]) == (False, True)
    vended = (await bench.vend(made["id"])).json()["values"]
    assert (vended["service_secret"], vended["license_key"]) == (shop["service_secret"], shop["license_key"])
    # The operator's secret stands in no row.
    sealed = await bench.fetch("select encode(sealed, 'escape') as sealed, field_names from credentials")
    assert "service_secret" not in sealed[0]["field_names"]

    supply(file, "SP000000_exchangedexchang")
    assert (await bench.vend(made["id"])).json()["values"]["service_secret"] == "SP000000_exchangedexchang"
    spoil(file)
    assert (await bench.vend(made["id"])).json()["values"]["service_secret"] == "SP000000_exchangedexchang"


@pytest.mark.row("A5", kind="refuses")
async def test_what_the_operator_has_not_supplied_is_told_before_anything_is_stored(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    made = await bench.link()
    refused = await bench.public.put(f"/v1/accounts/{made['id']}/credentials", json=typed(shop))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "installation-incomplete")
    assert "service_secret" in problem["detail"]
    assert (bool(problem["remedy"]["ja"]), problem["errors"][0]["pointer"]) == (True, "/registration")
    assert (await bench.show(made["id"]))["credentials"]["version"] == 0
    extra = typed(shop) | {"values": credentials_of(shop)}
    named = await bench.public.put(f"/v1/accounts/{made['id']}/credentials", json=extra)
    assert (named.status_code, named.json()["errors"][0]["pointer"]) == (422, "/values/service_secret")


def test_a_file_that_cannot_be_read_stops_the_start_without_a_word_of_what_it_holds(file: Path) -> None:
    file.write_text('{"rakuten_ichiba": "SP999001_0000000000000000"}')
    settings = AccountSettings(
        database_url="postgresql://x", issuer="x", jwks_url="http://x.invalid/", keys_dir=file.parent
    ).model_copy(update={"installation_secrets_file": file})
    with pytest.raises(SettingsRefused) as refused:
        settings.installation()
    assert "HANRO_INSTALLATION_SECRETS_FILE" in str(refused.value)
    assert "SP999001" not in str(refused.value)
