"""Hears from the other services how their calls fare: a refused credential leads to a preflight at once."""

from collections.abc import Mapping, Sequence

from account_svc.accounts.following import apply_responses, load_heard
from account_svc.domain.reports import Heard, Response, respond
from hanro.db import Transaction
from hanro.events.access import AccessReported
from hanro.events.envelope import Received
from hanro.subscriptions import Subscription


async def _load(tx: Transaction, received: Sequence[Received]) -> Mapping[str, Heard]:
    return await load_heard(tx, [one.fact for one in received if isinstance(one.fact, AccessReported)])


def _decide(known: Heard | None, received: Received) -> Response:
    if not isinstance(received.fact, AccessReported):
        raise TypeError(f"{received.type} is not subscribed to")
    return respond(known, received.fact)


async def _apply(tx: Transaction, responses: Sequence[Response]) -> None:
    await apply_responses(tx, responses)


on_access_reports: Subscription[Heard, Response] = Subscription(
    name="account-svc.access", facts=(AccessReported,), load=_load, decide=_decide, apply=_apply
)
