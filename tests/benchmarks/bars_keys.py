"""Keys: how fast credentials are vended beside a bare read; the sweep over all accounts is `bars_sweep`'s."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import bench_accounts
from bars_sweep import sweep
from baselines.indexed_read import Timed, at_a_rate, reader
from bench_places import Places, run
from bench_table import Row, ratio

from account_svc.app import SERVICE
from hanro.auth import JwtAuthenticator
from hanro.clock import SystemClock
from hanro.service import Parts, make_apps
from hanro.testing.edges import AUDIENCE, ISSUER, Signer

OK = 200
PER_SECOND = 200.0
VENDS = 2_000
TURN = 200
ACCOUNTS = 1_000
BODY = b'{"service":"order-svc","purpose":"poll"}'
READ = "select version, sealed from account.credentials where account_id = $1"


def keys(places: Places, repetitions: int = 3) -> list[Row]:
    """Give the tail of vending as a ratio to a bare read's, and how a sweep over all accounts grows."""
    return [*vending(places, repetitions), *sweep(places)]


def vending(places: Places, repetitions: int = 3, count: int = VENDS) -> list[Row]:
    """Compare the 99th percentile of vending at 200/s with that of a bare indexed read; then the work of each.

    Both go in turns of a second: whatever else the machine does falls upon both. The work is this process's seconds on
    the processor, one after the other: it tells what the tail is made of, whoever else wants the processor.
    """
    urls = places.database(bench_accounts.SCHEMA)

    async def measure() -> list[Row]:
        parts = bench_accounts.parts(urls)
        try:
            async with parts.db.begin() as tx:
                ids = await bench_accounts.fill(tx, ACCOUNTS)
            wanted = [ids[number % len(ids)] for number in range(count)]
            vend = _vending(parts)
            pairs, works = [], []
            async with reader(urls.runtime, READ) as read:
                await _in_turns(vend, read, wanted[:TURN])
                for _ in range(repetitions):
                    ours, bare = await _in_turns(vend, read, wanted)
                    pairs.append((_tail(ours) * 1000, _tail(bare) * 1000))
                    works.append((await _work(vend, wanted), await _work(read, wanted)))
            what = "credentials vended at 200/s, p99, against an indexed read"
            return [
                ratio("keys", what, pairs, passes=5.0, stretch=3.0, is_at_least=False, unit="ms"),
                ratio("keys", "work of one vending against that of an indexed read", works, unit="ms CPU"),
            ]
        finally:
            await parts.close()

    return run(measure())


async def _in_turns(vend: Timed, read: Timed, wanted: Sequence[str]) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    bare: list[float] = []
    for start in range(0, len(wanted), TURN):
        some = wanted[start : start + TURN]
        ours += await at_a_rate(vend, some, PER_SECOND)
        bare += await at_a_rate(read, some, PER_SECOND)
    return ours, bare


def _vending(parts: Parts) -> Timed:
    """Give what asks the internal route as a server hands it over, and tells the seconds; the token is a real one.

    No client stands before it: on this process's own time it would cost as much as the route does.
    """
    signer = Signer()
    authenticator = JwtAuthenticator(issuer=ISSUER, audience=AUDIENCE, fetch_keys=signer.keys, clock=SystemClock())
    built = SERVICE.build(parts, bench_accounts.settings("postgresql://x"))
    apps = make_apps(SERVICE, parts, built, authenticator=authenticator, missing=lambda: None)
    said = signer.bearer("internal:credentials", sub="order-svc") | {
        "host": "account",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
    }
    headers = [(name.lower().encode(), text.encode()) for name, text in said.items()]

    async def vend(account_id: str) -> float:
        path = f"/internal/v1/accounts/{account_id}/credentials:vend"
        waiting = [{"type": "http.request", "body": BODY, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("account", 80),
        }
        began = time.perf_counter()
        await apps.internal(scope, receive, send)
        took = time.perf_counter() - began
        if told[0]["status"] != OK:
            raise RuntimeError(str(told))
        return took

    return vend


async def _work(work: Timed, wanted: Sequence[str]) -> float:
    began = time.process_time()
    for key in wanted:
        await work(key)
    return (time.process_time() - began) * 1000 / len(wanted)


def _tail(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]
