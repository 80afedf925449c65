"""Makes a new marketplace out of the sandbox: `make marketplace ID=example_market`.

The copy is a whole plug-in with its simulator and tests, all names replaced; it keeps every rule of the conformance kit
until its meaning is changed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

TEMPLATE = "sandbox"
ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
_QUOTED = re.compile(r'"([^"\n]*sandbox[^"\n]*)"')


class IdRefused(ValueError):
    """Say why a marketplace cannot have that id."""


def copy_template(root: Path, wanted: str) -> Path:
    """Copy the sandbox's folder as a marketplace of that id, tell the workspace of it, and give the new folder.

    Raises:
        IdRefused: no lower-case words joined by "_", the template's own, or taken.
    """
    folder = root / "libs" / "marketplaces" / wanted
    if not ID.fullmatch(wanted) or TEMPLATE in wanted:
        raise IdRefused(f"{wanted!r} is no id: lower-case words joined by _, like example_market")
    if folder.exists():
        raise IdRefused(f"{folder.relative_to(root)} is there already")
    shutil.copytree(folder.parent / TEMPLATE, folder, ignore=_LEFT_BEHIND)
    # The deepest first, so that a folder is renamed after what is in it.
    for found in sorted(folder.rglob("*"), reverse=True):
        if found.is_file():
            found.write_text(renamed(found.read_text(encoding="utf-8"), wanted), encoding="utf-8")
        if TEMPLATE in found.name:
            found.rename(found.with_name(renamed(found.name, wanted)))
    workspace = root / "pyproject.toml"
    workspace.write_text(_with_twins(workspace.read_text(encoding="utf-8"), wanted), encoding="utf-8")
    return folder


def renamed(text: str, wanted: str) -> str:
    """Replace the template's name in each of its spellings: in ids, in names of classes, in a distribution's name."""
    words = wanted.split("_")
    text = text.replace(f"hanro-{TEMPLATE}", f"hanro-{'-'.join(words)}")
    return text.replace(TEMPLATE, wanted).replace(TEMPLATE.title(), "".join(word.title() for word in words))


def _with_twins(text: str, wanted: str) -> str:
    """Name the new package wherever the workspace names the template's: paths, packages, contracts."""
    return _QUOTED.sub(lambda found: f'"{found[1]}", "{renamed(found[1], wanted)}"', text)


def main(words: list[str]) -> int:
    """Copy, order the imports by the new names where ruff is there, and say what comes next; gives the exit code."""
    root = Path.cwd()
    try:
        folder = copy_template(root, words[0] if words else "")
    except IdRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    ruff = Path(sys.executable).with_name("ruff")
    if ruff.exists():
        for order in (["check", "-q", "--fix", "--select", "I"], ["format", "-q"]):
            subprocess.run([str(ruff), *order, str(folder)], check=False)
    print(f"made {folder.relative_to(root)}/: install it by `make lint`, then `pytest {folder.relative_to(root)}`")
    print("next: its simulator and README from the dossier, then client, mapping, plugin")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
