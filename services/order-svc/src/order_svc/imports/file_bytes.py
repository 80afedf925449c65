"""Keeps a file's bytes sealed in the database, piece by piece; at most a few pieces are in memory."""

import hashlib
from collections import OrderedDict

from hanro import crypto
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.errors import Retryable
from hanro.ids import new_id
from order_svc.domain.files import LARGEST_ROW
from order_svc.store import imports as store
from order_svc.store.imports import Chunk

TABLE = "import_chunks"
FIELD = "sealed"
CHUNK_BYTES = 1024 * 1024
MOST_OPEN = 8
PREFIX = "imp"


class Upload:
    """Take a file in while it comes; each piece is committed by itself, so that a slow sender holds no transaction."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self.id = new_id(PREFIX)
        self.size_bytes = 0
        self.head = b""
        self._db = db
        self._keyring = keyring
        self._buffer = bytearray()
        self._count = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        """Give the SHA-256 of what has come."""
        return self._digest.digest()

    async def begin(self) -> None:
        """Make room for it."""
        async with self._db.begin() as tx:
            await store.begin_upload(tx, self.id)

    async def take(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._digest.update(piece)
        self.size_bytes += len(piece)
        if len(self.head) <= LARGEST_ROW:
            self.head += piece[: LARGEST_ROW + 1]
        self._buffer += piece
        while len(self._buffer) >= CHUNK_BYTES:
            await self._save()

    async def end(self) -> None:
        """Store what is left."""
        if self._buffer:
            await self._save()

    async def drop(self) -> None:
        """Forget it."""
        async with self._db.begin() as tx:
            await store.delete_upload(tx, self.id)

    async def _save(self) -> None:
        plaintext = bytes(self._buffer[:CHUNK_BYTES])
        del self._buffer[:CHUNK_BYTES]
        name = store.chunk_id(self.id, self._count)
        sealed = crypto.seal(
            self._keyring, plaintext, schema=self._db.schema, table=TABLE, row_id=name, field=FIELD, version=1
        )
        async with self._db.begin() as tx:
            await store.save_chunk(tx, Chunk(import_id=self.id, number=self._count, sealed=sealed))
        self._count += 1


class FileBytes:
    """Read the bytes of a file that has come; the pieces that were read last stay open."""

    def __init__(self, db: Database, keyring: Keyring, import_id: str) -> None:
        self._db = db
        self._keyring = keyring
        self._import_id = import_id
        self._open: OrderedDict[int, bytes] = OrderedDict()

    async def from_(self, position: int) -> bytes:
        """Give the bytes from a place to the end of its piece; none behind the end of the file."""
        piece = await self._piece(position // CHUNK_BYTES)
        return piece[position % CHUNK_BYTES :]

    async def between(self, start: int, length: int) -> bytes:
        """Give some bytes.

        Raises:
            Retryable: they are not there any more (lease-lost).
        """
        found = b""
        while len(found) < length:
            number, place = divmod(start + len(found), CHUNK_BYTES)
            more = (await self._piece(number))[place : place + length - len(found)]
            if not more:
                # An unlink, or another process that was done with it.
                raise Retryable(f"the file of {self._import_id} is gone", code="lease-lost")
            found += more
        return found

    async def _piece(self, number: int) -> bytes:
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        async with self._db.begin() as tx:
            sealed = await store.find_chunk(tx, self._import_id, number)
        if sealed is None:
            return b""
        self._open[number] = crypto.open_(
            self._keyring,
            sealed,
            schema=self._db.schema,
            table=TABLE,
            row_id=store.chunk_id(self._import_id, number),
            field=FIELD,
            version=1,
        )
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return self._open[number]
