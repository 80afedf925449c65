"""The command `rewrap` is killed half-way while credentials are written, and ends its work when it is run again."""

import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from account_bench import prepare

from account_svc.store import credentials as store
from account_svc.store.credentials import StoredCredentials
from account_svc.vault import Vault
from hanro import crypto, failpoints
from hanro.clock import SystemClock
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.rewrapping import WINDOW
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

# The kill comes after the second of three windows.
COUNT = 2 * WINDOW + 1_000
WRITTEN_AT_ONCE = 50
OLD, NEW = "kek-1", "kek-2"

Values = dict[str, str]


def account_ids() -> list[str]:
    return [f"acc_{number:026}" for number in range(COUNT)]


def rewrap(urls: SchemaUrls, keys: Path, armed: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    environment = {
        "HANRO_DATABASE_URL": urls.runtime,
        "HANRO_KEYS_DIR": str(keys),
        "HANRO_ISSUER": "http://127.0.0.1:9",
        "HANRO_JWKS_URL": "http://127.0.0.1:9/jwks",
        failpoints.VARIABLE: armed,
    }
    return subprocess.run(
        [sys.executable, "-m", "account_svc", "rewrap"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def fill(db: Database, ring: Keyring) -> dict[str, tuple[int, Values]]:
    """Store credentials of many accounts under the ring's current key; gives version and values by account."""
    written = {one: (1, {"license_key": secrets.token_hex(8)}) for one in account_ids()}
    vault = Vault(ring, schema="account")
    async with db.begin() as tx:
        await tx.execute(
            f"""
            insert into accounts (id, marketplace_id, display_name, shop_ids, state, is_enabled, grants,
                lost_capabilities, credential_version, epoch, version, created_at, changed_at)
            select id, 'sandbox', '見本店', array['shp_1'], 'active', true, '[]', array[]::text[], 1, 0, 1, now, now
            from unnest($1::text[]) id, (select {tx.now_sql} as now) clock
            """,  # noqa: S608  the schema's own clock
            list(written),
        )
        await tx.execute(
            f"""
            insert into credentials (account_id, version, registration_id, field_names, sealed, stored_at, stored_by)
            select id, 1, 'own_application', array['license_key'], sealed, {tx.now_sql}, 'tester'
            from unnest($1::text[], $2::bytea[]) as t (id, sealed)
            """,  # noqa: S608  the schema's own clock
            list(written),
            [vault.close(one, version, values) for one, (version, values) in written.items()],
        )
    return written


@contextlib.asynccontextmanager
async def writing(db: Database, ring: Keyring, written: dict[str, tuple[int, Values]]) -> AsyncIterator[None]:
    """Store new credentials of one account after another under the ring's current key while the block lasts."""
    vault, is_over = Vault(ring, schema="account"), asyncio.Event()

    async def write() -> None:
        # Far apart, so that every window is written to before and after it was wrapped.
        order = itertools.cycle(one for start in range(97) for one in account_ids()[start::97])
        while not is_over.is_set():
            async with db.begin() as tx:
                for account_id in sorted(itertools.islice(order, WRITTEN_AT_ONCE)):
                    version = written[account_id][0] + 1
                    values = {"license_key": secrets.token_hex(8)}
                    await store.save_credentials(
                        tx,
                        StoredCredentials(
                            account_id=account_id,
                            version=version,
                            registration_id="own_application",
                            field_names=("license_key",),
                            sealed=vault.close(account_id, version, values),
                            stored_at=SystemClock().now(),
                            stored_by="tester",
                        ),
                    )
                    written[account_id] = (version, values)
            await asyncio.sleep(0)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        is_over.set()
        await task


async def stored(db: Database) -> dict[str, StoredCredentials]:
    async with db.begin() as tx:
        return await store.list_credentials(tx, account_ids())


def key_ids(found: dict[str, StoredCredentials]) -> Counter[str]:
    return Counter(str(crypto.key_id_of(one.sealed)) for one in found.values())


@pytest.mark.row("A14", kind="walks")
async def test_a_rewrap_that_was_killed_half_way_leaves_no_row_under_the_old_key_when_it_is_run_again(
    urls: SchemaUrls, db: Database, tmp_path: Path
) -> None:
    for name in (OLD, NEW, "index"):
        (tmp_path / f"{name}.key").write_text(secrets.token_hex(32))
    named = tmp_path / "current"
    named.write_text(OLD)
    before = Keyring.load(tmp_path)
    named.write_text(NEW)
    written = await fill(db, before)

    # One process of the service was not started again yet, and seals with the old key still.
    async with writing(db, before, written):
        killed = await asyncio.to_thread(rewrap, urls, tmp_path, "rewrap.wrapped=kill@2")
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    half = key_ids(await stored(db))
    assert half[OLD] >= COUNT - 2 * WINDOW
    assert half[NEW] > 0

    async with writing(db, Keyring.load(tmp_path), written):
        again = await asyncio.to_thread(rewrap, urls, tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.splitlines()[-1] == "account-svc: 0 rows are not under the current key"

    (tmp_path / f"{OLD}.key").unlink()
    after, found = Vault(Keyring.load(tmp_path), schema="account"), await stored(db)
    assert key_ids(found) == {NEW: COUNT}
    opened = {
        one.account_id: (one.version, after.open(one.account_id, one.version, one.sealed)) for one in found.values()
    }
    # Nothing that was written meanwhile was lost to the copy that was wrapped.
    assert opened == written
    assert max(version for version, _ in written.values()) > 1
