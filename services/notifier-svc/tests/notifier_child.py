"""Runs a sender as a process of its own, so that a failpoint can kill it; started by the tests of crashes."""

import asyncio
import ssl
import sys
from datetime import timedelta
from pathlib import Path

from notifier_playground import made_desk

from hanro.clock import SystemClock
from hanro.db import connect
from hanro.http import ServiceHttp
from notifier_svc.sender.loop import Sender


async def main(database_url: str, services_url: str, relay_address: str, certificate_file: str) -> None:
    """Send until killed."""
    db = connect(database_url, schema="notifier")
    desk = made_desk(
        db,
        ServiceHttp(services_url, SystemClock()),
        tls=ssl.create_default_context(cafile=certificate_file),
        relay_address=relay_address,
        deadline=timedelta(seconds=5),
        lease=timedelta(seconds=3),
        clock=SystemClock(),
    )
    await Sender(desk, lanes=4).run(asyncio.Event())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    asyncio.run(main(*sys.argv[1:]))
