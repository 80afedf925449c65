"""Each service's migrations stand in one row: two that were numbered alike would let no database be made."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(ROOT.glob("services/*/migrations"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_each_migration_follows_the_one_before_it(folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    files = sorted(file.name[:4] for file in folder.glob("versions/[0-9]*.py"))
    assert files == sorted(found) == [f"{number:04}" for number in range(1, len(files) + 1)]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_a_service_waits_for_its_newest_migration(folder: Path) -> None:
    newest = max(file.name[:4] for file in folder.glob("versions/[0-9]*.py"))
    assert import_module(f"{folder.parent.name.replace('-', '_')}.app").SERVICE.revision == newest
