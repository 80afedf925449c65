"""No service names a marketplace: what differs by marketplace is data of its plug-in."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"\b[a-z0-9_]*(?:ichiba|rakuten|qoo10)[a-z0-9_]*\b|\bRMS\b|利用中", re.IGNORECASE)


def named(text: str) -> list[str]:
    """Give the lines that name a marketplace or a word of one."""
    return [line.strip()[:120] for line in text.splitlines() if NAMES.search(line)]


def files() -> list[Path]:
    """Give every file of the services that is kept, but for their tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "services"],  # noqa: S607  the one on the path
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and "tests" not in Path(name).parts]


def test_no_service_names_a_marketplace() -> None:
    found = {
        str(file.relative_to(ROOT)): lines
        for file in files()
        if file.is_file() and (lines := named(file.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_search_reads_every_service_and_finds_what_it_looks_for() -> None:
    assert len({file.relative_to(ROOT).parts[1] for file in files()}) == 4
    texts = ("hanro_rakuten_ichiba", "Qoo10 Japan", "RMS > x", "「利用中」", "RAKUTEN")
    assert [bool(named(text)) for text in texts] == [True] * len(texts)
    assert named("forms, terms, alarms, 利用") == []
