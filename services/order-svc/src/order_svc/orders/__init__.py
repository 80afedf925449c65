"""Says what happens to orders, and in which order: taken in, looked at, accepted, and what is sent for them."""

from order_svc.orders.acceptance import Abilities, decide
from order_svc.orders.acknowledging import Acknowledged, acknowledge, known_consumer
from order_svc.orders.asking import (
    ask_backfill,
    ask_fetch,
    claim_asked,
    ids_of,
    ingest_stretch,
    list_stretches,
    refs_of,
    settle_asked,
)
from order_svc.orders.ingestion import Page, Taken, begin_window, ingest, ingest_fetched
from order_svc.orders.looking import list_to_read_again
from order_svc.orders.resolving import Resolution, resolve
from order_svc.orders.sending import claim_unsure, claim_wishes, conclude, mark_sent
from order_svc.orders.wishes import Wish
from order_svc.store.lists import list_orders as list_
from order_svc.store.orders import get_visible as get_

__all__ = [
    "Abilities",
    "Acknowledged",
    "Page",
    "Resolution",
    "Taken",
    "Wish",
    "acknowledge",
    "ask_backfill",
    "ask_fetch",
    "begin_window",
    "claim_asked",
    "claim_unsure",
    "claim_wishes",
    "conclude",
    "decide",
    "get_",
    "ids_of",
    "ingest",
    "ingest_fetched",
    "ingest_stretch",
    "known_consumer",
    "list_",
    "list_stretches",
    "list_to_read_again",
    "mark_sent",
    "refs_of",
    "resolve",
    "settle_asked",
]
