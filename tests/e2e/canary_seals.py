"""Opens what a stack keeps sealed, as services do: what is erased must be under no seal either."""

import io
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pypdf
from canary_search import Place

from account_svc.app import SERVICE as ACCOUNTS
from hanro import crypto
from hanro.crypto import Keyring
from hanro.rewrapping import SealedTable
from hanro_local.stack import DATABASE, Stack
from order_svc.app import SERVICE as ORDERS

SECONDS = 30.0
PDF = b"%PDF"
SEALED: Sequence[tuple[str, SealedTable]] = [
    (service.schema, table) for service in (ACCOUNTS, ORDERS) for table in service.sealed
]


async def sealed(running: Stack) -> AsyncIterator[Place]:
    """Open every sealed value of every table; of a printed file its text follows, which the file itself packs."""
    keyring = Keyring.load(running.state / "keys")
    connection = await asyncpg.connect(running.postgres.url(DATABASE), timeout=SECONDS)
    try:
        for schema, table in SEALED:
            for row in await connection.fetch(
                f"select {table.key} as key, {table.version or '1'} as version, {table.column} as sealed"  # noqa: S608
                f' from "{schema}".{table.name} where {table.column} is not null'
            ):
                held = crypto.open_(
                    keyring,
                    row["sealed"],
                    schema=schema,
                    table=table.sealed_as or table.name,
                    row_id=row["key"],
                    field=table.column,
                    version=row["version"],
                )
                yield f"{schema}.{table.name} opened", held
                if held.startswith(PDF):
                    pages = pypdf.PdfReader(io.BytesIO(held)).pages
                    yield f"{schema}.{table.name} read", "".join(page.extract_text() for page in pages).encode()
    finally:
        await connection.close(timeout=SECONDS)
