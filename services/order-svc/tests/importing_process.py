"""Takes in the files that wait, in a process of its own, so that a test can kill it: `importing_process.py URL`."""

import asyncio
import sys
from datetime import timedelta

from order_files import plugin
from order_playground import Playground
from order_sightings import NOON

from hanro.db import connect
from hanro.testing.callers import fixed_keyring
from hanro.testing.clock import FixedClock
from order_svc.importer import Importer

LEASE = timedelta(seconds=1)
READY = "ready"


async def main(url: str) -> None:
    """Say that it is ready, then work until nothing is open any more."""
    db = connect(url, schema="orders")
    playground = Playground()
    # A clock that stands still: what two files say is the same to the last byte.
    importer = Importer(db, fixed_keyring(), {playground.id: plugin(playground)}, FixedClock(NOON), lease=LEASE)
    async with db.begin():
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
    while True:
        await importer.take_next(asyncio.Event())
        async with db.begin() as tx:
            if not await tx.fetch("select 1 from imports where state in ('accepted', 'reading', 'storing')"):
                break
        # The lease of a process that died runs out by the database's clock alone.
        await asyncio.sleep(0.05)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
