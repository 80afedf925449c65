"""Checks what a plug-in declares: rule 1."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import inspect
import subprocess
import sys
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

from hanro.errors import LocalizedText
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.values import walk

# Runs in a process of its own: what an import opens, connects or asks of the environment is told by its own frames.
_IMPORT = """
import os, sys
name, package = sys.argv[1], sys.argv[2]
import hanro.marketplace.types, hanro.marketplace.port, hanro.errors
found = []
def frames():
    frame = sys._getframe(2)
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back
def hook(event, args):
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system")):
        found.append(event)
    elif event == "open" and isinstance(args[0], str) and not args[0].endswith((".py", ".pyc")):
        # A time zone is the interpreter's data.
        if "zoneinfo" not in args[0] and any(one.startswith(package) for one in list(frames())[:2]):
            found.append(f"open {args[0]}")
class Environment(dict):
    def __getitem__(self, key):
        if any(one.startswith(package) for one in list(frames())[:3]):
            found.append(f"environment {key}")
        return super().__getitem__(key)
    def get(self, key, default=None):
        return self[key] if key in self else default
sys.addaudithook(hook)
os.environ = Environment(os.environ)
__import__(name)
print(found)
"""


def effects_of_import(module: str, package: str, folder: Path | None = None) -> str:
    """Import a module, also out of `folder`, in a process of its own; give what `package` did, "[]" for nothing."""
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", _IMPORT, module, package],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        cwd=folder,
    )
    return done.stdout.strip()


class Declared:
    """Rule 1: a plug-in is what it says, and importing it does nothing."""

    def test_id_folder_entry_point_and_package_are_one_word(self, market: Market) -> None:
        (point,) = [one for one in entry_points(group="hanro.marketplaces") if one.name == market.plugin.id]
        assert market.folder.name == market.plugin.id
        assert point.value == f"hanro_{market.plugin.id}.plugin:plugin"
        assert (market.folder / "src" / f"hanro_{market.plugin.id}" / "__init__.py").stat().st_size < 200  # noqa: PLR2004  a docstring
        assert installed()[market.plugin.id] is market.plugin

    def test_importing_opens_nothing_and_asks_the_environment_nothing(self, market: Market) -> None:
        package = f"hanro_{market.plugin.id}"
        assert effects_of_import(f"{package}.plugin", package) == "[]"

    def test_every_attribute_and_door_of_the_port_is_there(self, market: Market) -> None:
        doors = [name for name, _ in inspect.getmembers(Plugin, inspect.isfunction) if not name.startswith("_")]
        for name in [*Plugin.__annotations__, *doors]:
            assert hasattr(market.plugin, name), name
        assert market.plugin.port == 1

    def test_every_text_speaks_both_languages_and_every_fact_has_a_source(self, market: Market) -> None:
        declared = [getattr(market.plugin, name) for name in Plugin.__annotations__]
        for found in walk(declared):
            if isinstance(found, LocalizedText):
                assert found.ja.strip(), found
                assert found.en.strip(), found
                assert found.ja != found.en, found
            if hasattr(found, "source") and not isinstance(found, type):
                assert str(found.source).strip(), found

    def test_the_guide_names_what_exists_and_each_state_has_its_word(self, market: Market) -> None:
        guide = market.plugin.guide
        steps, grants = {step.id for step in guide.steps}, {grant.id for grant in market.plugin.grants}
        registrations = {one.id for one in market.plugin.credential_form.registrations}
        assert len(steps) == len(guide.steps)
        assert len({one.id for one in guide.prerequisites}) == len(guide.prerequisites)
        for prerequisite in guide.prerequisites:
            assert set(prerequisite.step_ids) <= steps, prerequisite.id
            assert prerequisite.grant_ids <= grants, prerequisite.id
            assert prerequisite.registration_ids <= registrations, prerequisite.id
            assert len(prerequisite.states) == len(set(prerequisite.states)) > 1, prerequisite.id
            assert len(prerequisite.labels) == len(prerequisite.states), prerequisite.id
            assert prerequisite.daily_start is None or not prerequisite.grant_ids, prerequisite.id

    def test_limits_and_grants_fit_each_other(self, market: Market) -> None:
        limits = market.plugin.limits
        assert {grant.group for grant in market.plugin.grants} <= set(limits.groups)
        for batch in limits.batches.values():
            assert set(batch.groups) <= set(limits.groups)
        for group in limits.groups.values():
            assert sum(group.shares.values()) == Decimal(1), group.name
