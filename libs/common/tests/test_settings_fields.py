"""Proves that a service with a wrong environment names every field at once and repeats no value."""

from pathlib import Path

import pytest

from hanro.settings import CommonSettings, SettingsRefused, load

CANARY = "canary-9e77"


class ProbeSettings(CommonSettings):
    """Ask for one field more."""

    poll_seconds: int


GOOD = {
    "HANRO_DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1/x",
    "HANRO_ISSUER": "http://127.0.0.1:9000",
    "HANRO_JWKS_URL": "http://127.0.0.1:9000/jwks",
    "HANRO_KEYS_DIR": "/keys",
    "HANRO_POLL_SECONDS": "15",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415  only this fixture looks into the environment

    for name in [name for name in os.environ if name.startswith("HANRO_")]:
        monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_every_missing_field_is_named_at_once() -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(ProbeSettings)
    named = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert sorted(named) == sorted(GOOD)


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD | {"HANRO_PORT": CANARY, "HANRO_LOG_LEVEL": CANARY, "HANRO_FAILPOINTS": CANARY})
    with pytest.raises(SettingsRefused) as refused:
        load(ProbeSettings)
    text = str(refused.value)
    assert [name in text for name in ("HANRO_PORT", "HANRO_LOG_LEVEL", "HANRO_FAILPOINTS")] == [True] * 3
    assert CANARY not in text


def test_a_map_that_is_no_json_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD | {"HANRO_MAIL_RELAYS": CANARY})
    with pytest.raises(SettingsRefused, match="HANRO_MAIL_RELAYS") as refused:
        load(ProbeSettings)
    assert CANARY not in str(refused.value)


def test_maps_are_json_and_empty_texts_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = '{"rakuten_ichiba": "http://127.0.0.1:9101"}'
    set_all(monkeypatch, GOOD | {"HANRO_MARKETPLACE_URLS": urls, "HANRO_CLOCK_OFFSET_FILE": ""})
    settings = load(ProbeSettings)
    assert settings.marketplace_urls == {"rakuten_ichiba": "http://127.0.0.1:9101"}
    assert settings.clock_offset_file is None
    assert (settings.keys_dir, settings.poll_seconds) == (Path("/keys"), 15)


def test_a_repr_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD)
    assert CANARY not in repr(load(ProbeSettings))
