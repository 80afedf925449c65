"""Assumptions: defaults, changes from a file, refusals by name."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from simkit.assumptions import AssumptionsRefused, load


class Gateway(StrEnum):
    """Name a gateway."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True)
class Assumptions:
    """Assume one thing of each type."""

    burst: Annotated[int, Field(ge=1)] = 5
    delay_seconds: float = 5.0
    refuse_without_charset: bool = True
    gateway: Gateway = Gateway.NEW
    prefixes: tuple[str, ...] = ("pc",)


def test_no_file_gives_the_defaults() -> None:
    assert load(Assumptions, None) == Assumptions()


def test_json_and_toml_change_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"burst": 1, "gateway": "old", "prefixes": ["pc", "dm"], "delay_seconds": 2}')
    (tmp_path / "a.toml").write_text('burst = 1\ngateway = "old"\nprefixes = ["pc", "dm"]\ndelay_seconds = 2\n')
    expected = Assumptions(burst=1, gateway=Gateway.OLD, prefixes=("pc", "dm"), delay_seconds=2.0)
    assert load(Assumptions, tmp_path / "a.json") == expected
    assert load(Assumptions, tmp_path / "a.toml") == expected


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"burst": "1", "refuse_without_charset": 1, "brust": 1, "gateway": "middle"}')
    with pytest.raises(AssumptionsRefused) as refused:
        load(Assumptions, tmp_path / "a.json")
    assert all(
        name in str(refused.value) for name in ("burst:", "refuse_without_charset:", "brust: unknown", "gateway:")
    )


def test_a_value_outside_its_bounds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"burst": 0}')
    with pytest.raises(AssumptionsRefused, match="burst: Input should be greater"):
        load(Assumptions, tmp_path / "a.json")


@pytest.mark.parametrize("text", ["[1]", "{", "\ufeffx"])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(AssumptionsRefused, match=r"a\.json"):
        load(Assumptions, tmp_path / "a.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssumptionsRefused, match="No such file"):
        load(Assumptions, tmp_path / "a.json")
