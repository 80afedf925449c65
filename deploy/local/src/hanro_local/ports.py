"""Chooses free ports once and keeps them, and tells who holds a taken one. Standard library alone.

A port is chosen long before its server listens there: meanwhile it is claimed, so that a stack that starts at the same
moment takes another.
"""

import contextlib
import errno
import fcntl
import json
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

HOST = "127.0.0.1"
# Below what systems hand out to outgoing connections (32768 and up on Linux, 49152 on macOS): a port that is free
# between a child's death and its restart must not be lost to a connection.
FIRST, LAST = 20000, 32000
LISTENING = "0A"
# The slowest start of a stack; whoever listens by then needs no claim any more.
CLAIM_SECONDS = 300.0

Claims = dict[int, tuple[int, float]]
"""By port: the process that chose it, and until when it counts, in seconds since 1970."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are winding down do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as refusal:
            if refusal.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose(count: int, *, avoid: Sequence[int] = ()) -> list[int]:
    """Return `count` different free ports, none of those to avoid, and claim them."""
    with _claims() as claims:
        return _choose(count, claims, avoid)


def keep(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Return a port for each name: what the file remembers while it is free, else one chosen anew and remembered."""
    try:
        remembered = {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        remembered = {}
    with _claims() as claims:
        kept = {
            name: remembered[name]
            for name in names
            if name in remembered and not _is_anothers(claims, remembered[name]) and is_free(remembered[name])
        }
        for port in kept.values():
            claims[port] = _own_claim()
        missing = [name for name in names if name not in kept]
        kept.update(zip(missing, _choose(len(missing), claims, list(kept.values())), strict=True))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept


def _choose(count: int, claims: Claims, avoid: Sequence[int]) -> list[int]:
    chosen: list[int] = []
    # In no order: who listens without a claim is met less often.
    for port in random.sample(range(FIRST, LAST), LAST - FIRST):
        if len(chosen) == count:
            break
        if port not in avoid and port not in claims and is_free(port):
            chosen.append(port)
            claims[port] = _own_claim()
    if len(chosen) < count:
        raise OSError(errno.EADDRNOTAVAIL, f"no {count} free ports between {FIRST} and {LAST}")
    return chosen


@contextlib.contextmanager
def _claims() -> Iterator[Claims]:
    """Give the claims that count, of all processes of this user, and store them at the end of the block."""
    file = Path(tempfile.gettempdir()) / f"hanro-ports-{os.getuid()}.json"
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            found = {int(port): (int(pid), float(until)) for port, (pid, until) in json.load(stream).items()}
        except (ValueError, AttributeError):
            found = {}
        now = time.time()
        claims = {port: claim for port, claim in found.items() if now < claim[1] and _is_alive(claim[0])}
        yield claims
        stream.seek(0)
        stream.truncate()
        json.dump(claims, stream)
        # Before the lock goes, which closing gives back.
        stream.flush()


def _own_claim() -> tuple[int, float]:
    return os.getpid(), time.time() + CLAIM_SECONDS


def _is_anothers(claims: Claims, port: int) -> bool:
    return port in claims and claims[port][0] != os.getpid()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def owner(port: int) -> str | None:
    """Name the process that listens on the port: `pid 4711, python3`; None where this cannot be seen cheaply."""
    sockets = {f"socket:[{number}]" for number in _listening(port)}
    if not sockets:
        return None
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            is_it = str(link.readlink()) in sockets
        except OSError:
            # Another user's process, or one that just ended.
            continue
        if is_it:
            process = link.parents[1]
            return f"pid {process.name}, {(process / 'comm').read_text().strip()}"
    return None


def _listening(port: int) -> list[str]:
    numbers: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                numbers.append(fields[9])
    return numbers
