"""Takes orders in from a seller's file: kept sealed while it comes, split into rows, then order by order."""

from order_svc.imports.accepting import Asked, HeaderRefused, accept
from order_svc.imports.file_bytes import Upload
from order_svc.imports.finding import find_rows
from order_svc.imports.looking import forget_old, get_, list_, list_rows
from order_svc.imports.storing import MOST_ORDERS, read_batch, store_batch

__all__ = [
    "MOST_ORDERS",
    "Asked",
    "HeaderRefused",
    "Upload",
    "accept",
    "find_rows",
    "forget_old",
    "get_",
    "list_",
    "list_rows",
    "read_batch",
    "store_batch",
]
