"""Writes facts into the outbox, inside the transaction that makes them true."""

from hanro.db import Transaction
from hanro.events.fact import Fact

DDL_1: tuple[str, ...] = ()


async def record(tx: Transaction, *facts: Fact) -> None:
    """Write facts in one statement, to be published in this order; nothing where `facts` is empty.

    After the commit the relay of this process is woken. Raises Rejected (code text-too-long) over 900 KB.
    """
    raise NotImplementedError
