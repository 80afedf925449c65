"""A copy of the sandbox under another name is a whole plug-in: it keeps the rules, and a break is told by its rule."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hanro.testing.conformance import SCHEMA
from hanro.testing.schemas import create_shared_tables
from hanro_local.databases import SchemaUrls
from hanro_local.new_marketplace import IdRefused, copy_template

ROOT = Path(__file__).parents[3]
ID = "example_market"
# Each of another kind: what is declared, what is meant, what goes over the wire, what its own tests say.
CHEAP = "Declared or Carriers or OrderFiles or golden or accepting_twice or test_one_line_is_accepted or notice or plan"
SECONDS = 120
# The one fixture of this repository that a plug-in's tests ask for.
CONFTEST = """
import os
from types import SimpleNamespace
import pytest

@pytest.fixture
def make_database():
    return lambda _name, _prepare: SimpleNamespace(runtime=os.environ["DATABASE_OF_THE_COPY"])
"""


@pytest.fixture
def database_url(make_database: Callable[..., SchemaUrls]) -> str:
    return make_database(SCHEMA, create_shared_tables).runtime


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the template in a workspace that has nothing else, and install the copy beside it."""
    root = tmp_path_factory.mktemp("workspace")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(
        ROOT / "libs" / "marketplaces" / "sandbox", root / "libs" / "marketplaces" / "sandbox", ignore=_no_rubbish
    )
    (root / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    folder = copy_template(root, ID)
    order = ["install", "-q", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(root / "site")]
    environment = {name: text for name, text in os.environ.items() if name != "PIP_TARGET"}
    subprocess.run([sys.executable, "-m", "pip", *order, str(folder)], check=True, env=environment, timeout=SECONDS)
    # What is looked at are the sources, which a test breaks: only the entry point is taken from what was installed.
    shutil.rmtree(root / "site" / f"hanro_{ID}")
    return root


def test_a_copy_keeps_the_rules_under_its_own_name(workspace: Path, database_url: str) -> None:
    folder = workspace / "libs" / "marketplaces" / ID
    named = [found for found in folder.rglob("*") if "sandbox" in found.name.lower()]
    told = [found for found in folder.rglob("*.*") if found.is_file() and "sandbox" in found.read_text().lower()]
    assert (named, told) == ([], [])
    done = _run(workspace, database_url, CHEAP)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_a_copy_whose_mapping_is_broken_turns_its_rule_red(workspace: Path, database_url: str) -> None:
    mapping = workspace / "libs" / "marketplaces" / ID / "src" / f"hanro_{ID}" / "mapping.py"
    sound = mapping.read_text(encoding="utf-8")
    broken = sound.replace('quantity=whole(line, "quantity")', 'quantity=whole(line, "shipped")')
    assert broken != sound
    mapping.write_text(broken, encoding="utf-8")
    try:
        done = _run(workspace, database_url, "golden or sum")
    finally:
        mapping.write_text(sound, encoding="utf-8")
    assert done.returncode == 1, done.stdout
    assert "TestPayloads::test_golden_payloads_map_to_the_committed_orders" in done.stdout


@pytest.mark.parametrize("wanted", ["", "Example", "example-market", "1st", "sandbox", "my_sandbox", "a/b", "..", ID])
def test_an_id_that_is_none_or_taken_is_refused_and_nothing_is_made(workspace: Path, wanted: str) -> None:
    before = sorted((workspace / "libs" / "marketplaces").iterdir())
    with pytest.raises(IdRefused):
        copy_template(workspace, wanted)
    assert sorted((workspace / "libs" / "marketplaces").iterdir()) == before


def _run(workspace: Path, database_url: str, wanted: str) -> "subprocess.CompletedProcess[str]":
    """Run tests of the copy in a process of its own, on this run's database."""
    path = os.pathsep.join(map(str, (workspace / "libs" / "marketplaces" / ID / "src", workspace / "site")))
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [*command, "-c", "pyproject.toml", f"libs/marketplaces/{ID}/tests", "-k", wanted],
        cwd=workspace,
        # What it would compile beside the sources is no part of a copy.
        env=os.environ
        | {
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_ADDOPTS": "",
            "DATABASE_OF_THE_COPY": database_url,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _no_rubbish(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or name.endswith(".egg-info")]
