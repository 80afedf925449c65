"""Prints the documents that wait, one after the other, in bounded portions; one that fails stops no other."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hanro.clock import Clock
from hanro.crypto import CannotOpen, Keyring
from hanro.db import Database
from hanro.errors import Rejected, Retryable
from hanro.log import logger
from hanro.rounds import keep_looking
from order_svc import documents
from order_svc.documents import AT_ONCE, Policies, Press, PrintingFailed
from order_svc.store.documents import Document

LOG = logger(__name__)
LOOK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Printer:
    """Print documents."""

    db: Database
    keyring: Keyring
    press: Press
    policies: Policies
    clock: Clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; a portion that is on the press then is let go, and printed anew by another."""
        await keep_looking(
            partial(self.print_next, stop),
            clock=self.clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="documents cannot be printed",
        )

    async def print_next(self, stop: asyncio.Event) -> bool:
        """Print the document that has waited longest; False: none waits."""
        document = await documents.claim(self.db)
        if document is None:
            return False
        try:
            await self._print(document, stop)
        except Rejected as refused:
            await self._refuse(document, refused.code, refused.why)
        except Retryable as busy:
            LOG.info("a document waits for a press", code=busy.code)
            await documents.give_back(self.db, document)
            return False
        except (PrintingFailed, CannotOpen) as error:
            LOG.exception("a document is not printed", document_id=document.id, error_type=type(error).__name__)
            await self._refuse(document, "printing-failed", "The document could not be printed.")
        return True

    async def _print(self, document: Document, stop: asyncio.Event) -> None:
        files: list[bytes] = []
        left_out: list[Mapping[str, Any]] = []
        printed = 0
        for start in range(0, len(document.order_ids), AT_ONCE):
            if stop.is_set():
                await documents.give_back(self.db, document)
                return
            async with self.db.begin() as tx:
                written = await documents.write_notes(
                    tx,
                    self.keyring,
                    document.order_ids[start : start + AT_ONCE],
                    policies=self.policies,
                    is_invoice=document.is_invoice,
                )
            left_out += written.left_out
            if written.notes:
                files.append(await self.press.print(written.notes))
                printed += len(written.notes)
            if not await documents.progress(self.db, document, printed):
                return
        file = await self.press.bind(files) if files else None
        failure = None if files else {key: left_out[0][key] for key in ("code", "why")}
        await documents.conclude(
            self.db, self.keyring, document, file=file, printed=printed, left_out=left_out, failure=failure
        )

    async def _refuse(self, document: Document, code: str, why: str) -> None:
        await documents.conclude(
            self.db,
            self.keyring,
            document,
            file=None,
            printed=0,
            left_out=(),
            failure={"code": code, "why": why},
        )
