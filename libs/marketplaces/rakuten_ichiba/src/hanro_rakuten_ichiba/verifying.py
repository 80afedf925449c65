"""Holds effects against their orders as these stand: decisions, parcels, cancellations."""

from collections.abc import Sequence

from hanro.marketplace.types import Cancellation, LineKey, OrderEffect, Outcome, Receipt, Shipment
from hanro_rakuten_ichiba.cancelling.sending import judge_cancellation
from hanro_rakuten_ichiba.cancelling.sending import outcomes as cancellation_outcomes
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.effects import absent, check_keys, numbers_of, outcomes_of, supported
from hanro_rakuten_ichiba.reading import read_orders
from hanro_rakuten_ichiba.shipping.judging import judge_parcels
from hanro_rakuten_ichiba.verdicts import judge_acceptance


async def verify(client: Client, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
    """Tell of each effect whether it stands; see the port.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as a read.
        Unsupported: all effects need what is absent; beside others such a one is REJECTED.
        ValueError: more than 100 orders, a key twice, an effect without a line.
    """
    check_keys(asked)
    can = supported(asked)
    read = await read_orders(client, numbers_of(can))
    parcels = judge_parcels([one for one in can if isinstance(one, Shipment)], read)
    outcomes: list[Outcome[LineKey]] = []
    for effect in asked:
        verdict = absent(effect) or parcels.get(effect.id)
        sighting = read.sightings.get(effect.order.external_id)
        if isinstance(effect, Cancellation):
            outcomes += cancellation_outcomes(effect, verdict or judge_cancellation(effect, read))
        else:
            outcomes += outcomes_of(effect, verdict or judge_acceptance(effect.order.external_id, read), sighting)
    return Receipt(outcomes=tuple(outcomes))
