"""Proves that installed marketplaces are found by entry point, in a fresh process."""

import subprocess
import sys
from pathlib import Path

import pytest

ASK = "from hanro.marketplace import installed; print(sorted(set(installed()) & {'alpha_test', 'beta_test'}))"
WAIT_SECONDS = 60


def install(folder: Path, name: str, plugin_id: str) -> None:
    """Install a package with one entry point, as pip lays it out."""
    (folder / f"plugin_of_{name}.py").write_text(f"class Plugin:\n    id = {plugin_id!r}\n\nplugin = Plugin()\n")
    described = folder / f"{name}-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (described / "entry_points.txt").write_text(f"[hanro.marketplaces]\n{name} = plugin_of_{name}:plugin\n")


def ask(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Ask a new interpreter, which sees these folders, what is installed."""
    paths = ", ".join(repr(str(folder)) for folder in folders)
    program = f"import sys; sys.path[:0] = [{paths}]; {ASK}"
    return subprocess.run(  # noqa: S603  this interpreter, our own program
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


def test_installed_marketplaces_are_found_by_name(tmp_path: Path) -> None:
    install(tmp_path, "beta_test", "beta_test")
    install(tmp_path, "alpha_test", "alpha_test")
    assert ask(tmp_path).stdout == "['alpha_test', 'beta_test']\n"


def test_where_nothing_is_installed_nothing_is_found(tmp_path: Path) -> None:
    assert ask(tmp_path).stdout == "[]\n"


@pytest.mark.parametrize("plugin_id", ["beta_test", "Alpha_test"])
def test_a_plugin_under_a_name_that_is_not_its_id_is_refused(tmp_path: Path, plugin_id: str) -> None:
    install(tmp_path, "alpha_test", plugin_id)
    said = ask(tmp_path)
    assert said.returncode != 0
    assert f"entry point 'alpha_test' loads the plug-in '{plugin_id}'" in said.stderr


def test_the_same_marketplace_twice_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    install(one, "alpha_test", "alpha_test")
    install(other, "alpha_test", "alpha_test")
    (other / "alpha_test-1.dist-info").rename(other / "another-1.dist-info")
    (other / "another-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1\n")
    said = ask(one, other)
    assert said.returncode != 0
    assert "the marketplace 'alpha_test' is installed twice" in said.stderr
