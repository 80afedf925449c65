"""Says what happens to orders, and in which order: taken in, looked at, accepted."""

from order_svc.orders.acceptance import Wish, accept, claim_unsure, claim_wishes, conclude, mark_sent
from order_svc.orders.ingestion import Page, begin_window, ingest, ingest_fetched
from order_svc.orders.looking import get_, list_, list_to_read_again

__all__ = [
    "Page",
    "Wish",
    "accept",
    "begin_window",
    "claim_unsure",
    "claim_wishes",
    "conclude",
    "get_",
    "ingest",
    "ingest_fetched",
    "list_",
    "list_to_read_again",
    "mark_sent",
]
