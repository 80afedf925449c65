"""Holds what a table of refusals is made of: what a service's test knows, which cases it is exempt from, its rows."""

# ruff: noqa: S101  it asserts for a suite of tests

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from hanro.testing.documents import Operation
from hanro.testing.edges import Edge

KEY = "Idempotency-Key"
KEYED, PAGED, VERSIONED = "a POST takes an Idempotency-Key", "a list has pages", "a change names its version"
# What all services serve; {noun} is theirs.
EXEMPT = {
    KEYED: {"POST /v1/{noun}/dead-letters/{letter_id}:redrive": "to put a letter through again is harmless"},
    PAGED: {"GET /v1/{noun}/events": "goes on behind a position, which is no secret"},
}
BODIES = {"/replays": {"topic": "replay.sample"}}

Table = list[str]


@dataclass(frozen=True)
class Samples:
    """Be what a service's test knows beyond the document.

    `known` are path parameters of things that exist; `bodies` are bodies that make sense, by operation ("POST /v1/x"),
    where one of the right form is not enough, or it is no JSON (`edges.Content`); `makers` are the operations that make
    what an unknown id names.
    `open_to` names each operation that asks for no token, and whom it believes instead.
    `exempt` says for which operations a case makes no sense, and why: by case, then by operation. No other may miss.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, object] = field(default_factory=dict)
    makers: frozenset[str] = frozenset()
    open_to: Mapping[str, str] = field(default_factory=dict)
    exempt: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def body(self, operation: Operation) -> object:
        """Give a body for an operation."""
        shared = next((body for path, body in BODIES.items() if operation.path.endswith(path)), None)
        return self.bodies.get(str(operation), shared or operation.fitting_body())


def add(table: Table, operation: Operation, case: str, faults: list[str]) -> None:
    """Add a row for each fault."""
    table += [f"{operation} [{case}] {fault}" for fault in faults]


def show(table: Table) -> None:
    """Fail where the table has rows, and show them."""
    assert not table, f"{len(table)} rows:\n" + "\n".join(table)


def keyed(edge: Edge) -> list[Operation]:
    """Give the operations that take an Idempotency-Key."""
    return [one for one in edge.operations() if one.parameter(KEY) is not None]


def key(operation: Operation) -> dict[str, str]:
    """Give the header of a key that nobody used, where an operation needs one."""
    needed = (operation.parameter(KEY) or {}).get("required")
    return {KEY: f"u-{operation}"} if needed else {}


def query(address: str) -> dict[str, str]:
    """Give the parameters behind an address."""
    return dict(httpx.URL(address).params)


def changing(
    edge: Edge, operation: Operation, samples: Samples
) -> Callable[[Mapping[str, str]], Awaitable[httpx.Response]]:
    """Give a function that sends a change that makes sense, under headers."""

    async def send(headers: Mapping[str, str]) -> httpx.Response:
        body = samples.body(operation)
        return await edge.send(operation, operation.address(samples.known), body=body, headers=headers)

    return send


async def endless() -> AsyncIterator[bytes]:
    """Yield 64 MB of blanks."""
    for _ in range(1000):
        yield b" " * 64 * 1024
