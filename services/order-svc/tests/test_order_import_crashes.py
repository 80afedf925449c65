"""Who takes a file in may be killed anywhere: the next one goes on, and the file is in once."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from order_files import plugin, rows, written
from order_playground import Playground, activated, count, prepare, recorded, tell

from hanro.db import Database
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import imports
from order_svc.imports import Asked, Upload

pytestmark = pytest.mark.schema("orders", prepare)

HERE = Path(__file__).parent
ORDERS = 700


async def upload(db: Database, content: bytes) -> str:
    """Store a file as its route does."""
    playground = Playground()
    file = Upload(db, fixed_keyring())
    await file.begin()
    await file.take(content)
    await file.end()
    asked = Asked(account_id="acc_1", mode="update", is_dry_run=False, reserves_stock=False)
    async with db.begin() as tx:
        plugins = {playground.id: plugin(playground)}
        made = await imports.accept(tx, plugins, file, asked, account_ids=None, by="test")
    return made.id


async def work(url: str, failpoints: str = "") -> int:
    """Let a process of its own work, and give how it ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "importing_process.py"),
        url,
        env={**os.environ, "HANRO_FAILPOINTS": failpoints, "PYTHONPATH": str(HERE)},
    )
    async with asyncio.timeout(30):
        return await process.wait()


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O3", kind="walks")
@pytest.mark.parametrize(
    "point", ["imports.before_commit=kill@1", "imports.before_commit=kill@4", "imports.after_commit=kill@2"]
)
async def test_a_process_that_is_killed_leaves_the_rest_to_the_next_and_nothing_is_taken_in_twice(
    db: Database, urls: SchemaUrls, point: str
) -> None:
    await tell(db, activated())
    cells = rows(ORDERS)
    made = await upload(db, written([*cells, {**cells[0], "明細ID": "2"}, {**cells[1], "個数": "many"}]))
    assert await work(urls.runtime, point) == -signal.SIGKILL
    async with db.begin() as tx:
        assert (await imports.get_(tx, made, account_ids=None)).state in {"accepted", "storing"}
    assert await work(urls.runtime) == 0
    async with db.begin() as tx:
        found = await imports.get_(tx, made, account_ids=None)
    assert (found.state, found.row_count, found.done_count) == ("done", ORDERS + 2, ORDERS + 2)
    # The second order has a row that cannot be read.
    assert (found.new_count, found.changed_count, found.unchanged_count, found.refused_count) == (ORDERS - 1, 0, 0, 2)
    assert await count(db, "import_rows") == ORDERS + 2
    facts = await recorded(db)
    assert len(facts) == len({key for _, key in facts}) == await count(db, "orders") == ORDERS - 1
