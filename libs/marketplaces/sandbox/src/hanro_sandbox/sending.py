"""Sends lists of entries that stand for themselves, each told by a result: listings, images, stock."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hanro.errors import ContractBroken, InDoubt, Rejected
from hanro.marketplace.types import Outcome, OutcomeStatus, Part, Receipt
from hanro_sandbox.client import Client
from hanro_sandbox.functions import Function

K = TypeVar("K")
_CODES = {"already_exists": "already-exists", "unknown_listing": "not-found"}


def check_batch(keys: Sequence[object], most: int) -> None:
    """Refuse what is our own bug.

    Raises:
        ValueError: more than `most` entries, or a key twice.
    """
    if len(keys) > most or len(set(keys)) < len(keys):
        raise ValueError(f"at most {most} entries at once, each key once")


async def send_all(
    client: Client,
    function: Function,
    list_name: str,
    entries: Mapping[K, Mapping[str, object]],
    *,
    parts: frozenset[Part] = frozenset(),
) -> Receipt[K]:
    """Send entries by key in one request; `parts` stand of what was done.

    Raises:
        Retryable, NeedsSeller: nothing was changed.
    """
    if not entries:
        return Receipt(outcomes=())
    keys = list(entries)
    try:
        reply = await client.ask(function, {list_name: list(entries.values())}, has_effect=True)
    except Rejected as failure:
        return Receipt(outcomes=tuple(Outcome(key=key, status=OutcomeStatus.REJECTED, failure=failure) for key in keys))
    except (InDoubt, ContractBroken) as failure:
        doubt = InDoubt("the answer tells nothing", code="answer-unreadable", refusal=failure.refusal)
        doubt = failure if isinstance(failure, InDoubt) else doubt
        return Receipt(outcomes=tuple(Outcome(key=key, status=OutcomeStatus.IN_DOUBT, failure=doubt) for key in keys))
    results = reply.members.get("results")
    results = results if isinstance(results, list) and len(results) == len(keys) else [{} for _ in keys]
    outcomes: list[Outcome[K]] = []
    for key, result in zip(keys, results, strict=True):
        refusal = reply.refusal_of(result)
        match result.get("result"):
            case "done" | "repeat":
                external_id = result.get("id") or result.get("location")
                outcomes.append(Outcome(key=key, status=OutcomeStatus.APPLIED, external_id=external_id, parts=parts))
            case "refused":
                code = _CODES.get(refusal.code, "refused")
                refused = Rejected("the sandbox refused it", code=code, refusal=refusal)
                outcomes.append(Outcome(key=key, status=OutcomeStatus.REJECTED, failure=refused))
            case _:
                doubt = InDoubt("no result tells what became of it", code="answer-unreadable")
                outcomes.append(Outcome(key=key, status=OutcomeStatus.IN_DOUBT, failure=doubt))
    return Receipt(outcomes=tuple(outcomes))
