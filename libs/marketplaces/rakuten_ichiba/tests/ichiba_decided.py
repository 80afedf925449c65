"""Makes decisions and looks into what became of them."""

from hanro.marketplace.types import (
    Answer,
    Decision,
    DelayReason,
    LineKey,
    OrderRef,
    Outcome,
    OutcomeStatus,
    Receipt,
)


def accept(
    number: str,
    *line_ids: str,
    answer: Answer = Answer.ACCEPT,
    claim_id: str | None = None,
    delay: DelayReason | None = None,
) -> Decision:
    """Make a decision; accepting unless asked otherwise."""
    return Decision(
        id=f"op_{number}_{'_'.join(line_ids)}",
        order=OrderRef(external_id=number),
        answer=answer,
        line_ids=line_ids,
        claim_id=claim_id,
        ships_on=None,
        delay=delay,
        note=None,
        ships_from=None,
        return_to=None,
    )


def statuses(receipt: Receipt[LineKey]) -> list[OutcomeStatus]:
    """Give the status of each line, in the order asked."""
    return [outcome.status for outcome in receipt.outcomes]


def failure_code(outcome: Outcome[LineKey]) -> str | None:
    """Give the code of what went wrong; None where nothing did."""
    return None if outcome.failure is None else outcome.failure.code
