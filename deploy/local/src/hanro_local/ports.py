"""Chooses free ports once and keeps them, and tells who holds a taken one. Standard library alone."""

import errno
import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
# Below what systems hand out to outgoing connections (32768 and up on Linux, 49152 on macOS): a port that is free
# between a child's death and its restart must not be lost to a connection.
FIRST, LAST = 20000, 32000
LISTENING = "0A"


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
    """Return `count` different free ports, none of those to avoid."""
    chosen: list[int] = []
    # Not a secret, only unlikely to meet another stack that starts at the same moment.
    candidates = random.sample(range(FIRST, LAST), LAST - FIRST)
    for port in candidates:
        if len(chosen) == count:
            break
        if port not in avoid and is_free(port):
            chosen.append(port)
    if len(chosen) < count:
        raise OSError(errno.EADDRNOTAVAIL, f"no {count} free ports between {FIRST} and {LAST}")
    return chosen


def keep(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Return a port for each name: what the file remembers while it is free, else one chosen anew and remembered."""
    try:
        remembered = {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        remembered = {}
    kept = {name: remembered[name] for name in names if name in remembered and is_free(remembered[name])}
    missing = [name for name in names if name not in kept]
    kept.update(zip(missing, choose(len(missing), avoid=list(kept.values())), strict=True))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept


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
