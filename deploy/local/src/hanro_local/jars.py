"""Brings Kafka's jars: fetched once by jgo, kept where Maven keeps them, compared with the sums at every start.

The folder is `~/.m2/repository`, or M2_REPO. It outlives `make clean` and is shared by every checkout.
`python -m hanro_local.jars` fetches; with `--sums` it writes the sums file for a new version of Kafka.
"""

import asyncio
import fcntl
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import jgo
from jgo.config import GlobalSettings

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
# Kafka writes its log through slf4j; without a binding each start would print a complaint.
ENDPOINT = f"{KAFKA}+org.slf4j:slf4j-nop:1.7.36"
SUMS = "kafka-jars.sha512"
FETCH_SECONDS = 280.0


class JarsRefused(RuntimeError):
    """The jars cannot be used; the text is one line with the remedy."""


@dataclass(frozen=True)
class Jar:
    """One expected jar: its path below the repository, its length in bytes and its SHA-512 in hex."""

    path: str
    size: int
    sha512: str


def expected() -> list[Jar]:
    """Read the committed sums, in the order of the class path."""
    lines = resources.files("hanro_local").joinpath(SUMS).read_text(encoding="ascii").splitlines()
    return [Jar(path=path, size=int(size), sha512=sha512) for sha512, size, path in (line.split() for line in lines)]


def repository() -> Path:
    """Return the folder that holds the jars: M2_REPO, else what jgo's own settings say, else `~/.m2/repository`."""
    return Path(GlobalSettings.load().repo_cache)


def check(folder: Path, jars: Sequence[Jar]) -> list[Path]:
    """Return the files of all jars.

    Raises:
        JarsRefused: one is missing or differs from its sum.
    """
    for jar in jars:
        file = folder / jar.path
        if not file.exists():
            raise JarsRefused(f"{file} is missing: check the network and start again")
        with file.open("rb") as stream:
            seen = hashlib.file_digest(stream, "sha512").hexdigest()
        if seen != jar.sha512:
            raise JarsRefused(
                f"{file} is not the jar that hanro was tested with (SHA-512 differs): delete it and start again"
            )
    return [folder / jar.path for jar in jars]


def are_there(folder: Path, jars: Sequence[Jar]) -> bool:
    """Whether every jar has a file of its length; what is in it is not looked at."""
    return not any(_is_torn(folder, jar) or not (folder / jar.path).exists() for jar in jars)


def drop_torn(folder: Path, jars: Sequence[Jar]) -> None:
    """Delete files of another length, which a broken download left: jgo would take them for whole."""
    for jar in jars:
        if _is_torn(folder, jar):
            (folder / jar.path).unlink()


def _is_torn(folder: Path, jar: Jar) -> bool:
    file = folder / jar.path
    return file.exists() and file.stat().st_size != jar.size


def megabytes(folder: Path, jars: Sequence[Jar]) -> float:
    """How much of the jars is there, in MB."""
    return sum(file.stat().st_size for jar in jars if (file := folder / jar.path).exists()) / 1e6


async def ready(show: Callable[[Callable[[], str]], None] = lambda _detail: None) -> list[Path]:
    """Return the class path, after fetching what is missing in a process of its own, at most 280 s.

    `show` is handed a function that tells how much is there by now.

    Raises:
        JarsRefused: no network, or a jar that differs from its sum.
    """
    folder, jars = repository(), expected()
    if not are_there(folder, jars):
        total = sum(jar.size for jar in jars) / 1e6
        show(lambda: f"{megabytes(folder, jars):.1f} of {total:.1f} MB")
        await _fetch_aside()
    return await asyncio.to_thread(check, folder, jars)


async def _fetch_aside() -> None:
    # A process, because a thread that downloads cannot be stopped by Ctrl-C.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hanro_local.jars",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = await asyncio.wait_for(_read(process), FETCH_SECONDS)
    except TimeoutError:
        raise JarsRefused(
            f"Kafka's jars did not arrive within {FETCH_SECONDS:.0f} s: check the network (HTTPS_PROXY)"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise JarsRefused(
            f"Kafka's jars could not be fetched ({last[0][:200]}): check the network (HTTPS_PROXY) and start again"
        )


async def _read(process: asyncio.subprocess.Process) -> tuple[bytes, int]:
    if process.stdout is None:
        raise JarsRefused("the fetching process has no output")
    said = await process.stdout.read()
    return said, await process.wait()


def fetch(torn_if_differ: Sequence[Jar] = ()) -> list[Path]:
    """Fetch what is missing with jgo and return the files, ours and transitive; one process at a time, others wait.

    Files whose length is not that of the given jars are fetched again.
    `jgo.resolve`, not `jgo.build`: the latter fetches a whole JDK to classify modules.
    """
    folder = repository()
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".hanro-lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        drop_torn(folder, torn_if_differ)
        return [Path(artifact.resolve()) for artifact in jgo.resolve(ENDPOINT)]
    finally:
        os.close(lock)


def sums() -> str:
    """Return the text of the sums file for what the repository holds: sum, length, path."""
    folder = repository()
    lines = []
    for file in fetch():
        digest = hashlib.sha512(file.read_bytes()).hexdigest()
        lines.append(f"{digest} {file.stat().st_size} {file.relative_to(folder)}\n")
    return "".join(lines)


def main() -> None:
    """Fetch the jars, or write new sums to standard output."""
    if sys.argv[1:] == ["--sums"]:
        sys.stdout.write(sums())
    else:
        end_with_parent()
        fetch(expected())


def end_with_parent() -> None:
    """End this process when the one that started it is gone: its end of our standard input closes then."""

    def watch() -> None:
        # Not through sys.stdin: a thread inside its buffer makes the interpreter abort at its end.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
