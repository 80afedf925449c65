"""Makes decisions and looks into what became of them."""

from hanro.marketplace.types import (
    LineKey,
    Outcome,
    OutcomeStatus,
    Receipt,
)


def statuses(receipt: Receipt[LineKey]) -> list[OutcomeStatus]:
    """Give the status of each line, in the order asked."""
    return [outcome.status for outcome in receipt.outcomes]


def failure_code(outcome: Outcome[LineKey]) -> str | None:
    """Give the code of what went wrong; None where nothing did."""
    return None if outcome.failure is None else outcome.failure.code
