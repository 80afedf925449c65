"""Reads the environment of the local stack's commands. Standard library alone: preflight uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8080
HIGHEST_PORT = 65535
BREAKS = ("inbox", "outbox", "ledger")
MOST_ORDERS = 20_000
MOST_KILLS = 40


class SettingRefused(ValueError):
    """A variable cannot be used; the text is one line with the remedy."""


@dataclass(frozen=True)
class StackSettings:
    """One stack: a state folder of its own and the gateway's port. Two stacks with different ones run side by side.

    `is_durable` False lets Postgres skip waiting for the disk: for tests, whose state ends with them.
    `service_environment` is added to that of each service, for example shorter intervals in a demo; a service is
    started by the module `service_wrapper`, where one is named, which gets the service's own module as its first word.
    """

    state: Path
    gateway_port: int
    is_durable: bool = True
    service_environment: Mapping[str, str] = field(default_factory=dict)
    service_wrapper: str = ""


@dataclass(frozen=True)
class DemoWish:
    """Be what a demo is asked for: orders, kills (the services in turn), the protection that is broken ("": none)."""

    orders: int = 200
    kills: int = 4
    broken: str = ""


def state_root(environ: Mapping[str, str], folder: Path) -> Path:
    """Return where every stack has a folder for its state: HANRO_STATE, or `.hanro` below the given folder."""
    return folder / (environ.get("HANRO_STATE") or ".hanro")


def read(environ: Mapping[str, str], folder: Path, *, name: str = "run") -> StackSettings:
    """Read HANRO_STATE and HANRO_PORT (default 8080).

    Raises:
        SettingRefused: HANRO_PORT is no port number.
    """
    said = environ.get("HANRO_PORT") or str(DEFAULT_PORT)
    if not said.isdecimal() or not 0 < int(said) <= HIGHEST_PORT:
        raise SettingRefused(f"HANRO_PORT={said} is no port: give a number from 1 to {HIGHEST_PORT}")
    return StackSettings(state=state_root(environ, folder) / name, gateway_port=int(said))


def read_wish(environ: Mapping[str, str]) -> DemoWish:
    """Read ORDERS (default 200), KILLS (default 4) and BREAK (inbox, outbox, ledger; default: nothing is broken).

    Raises:
        SettingRefused: one of them is something else.
    """
    counts: dict[str, int] = {}
    for name, default, least, most in (("ORDERS", 200, 1, MOST_ORDERS), ("KILLS", 4, 0, MOST_KILLS)):
        said = environ.get(name) or str(default)
        if not said.isdecimal() or not least <= int(said) <= most:
            raise SettingRefused(f"{name}={said} is no count: give a number from {least} to {most}")
        counts[name] = int(said)
    broken = environ.get("BREAK", "")
    if broken and broken not in BREAKS:
        raise SettingRefused(f"BREAK={broken} is nothing that can be broken: give one of {', '.join(BREAKS)}")
    return DemoWish(orders=counts["ORDERS"], kills=counts["KILLS"], broken=broken)
