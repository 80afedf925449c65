"""Lists every function of RMS WEB API: path, grant, rate group, and the smallest request that tells whether it is on.

The order is that of probing: what hanro cannot work without, what it calls, what it does not call.
"""

from hanro_rakuten_ichiba.functions.catalogue import CATALOGUE_FUNCTIONS
from hanro_rakuten_ichiba.functions.function import Family, Function, Question
from hanro_rakuten_ichiba.functions.orders import (
    CANCEL_ORDER,
    CANCEL_SHIPPED,
    CHANGE_ORDER,
    CHANGE_SHIPPED,
    CONFIRM_ORDER,
    CONFIRM_PREFIX,
    GET_ORDER,
    GET_PAYMENT,
    GET_SUB_STATUS_LIST,
    LICENSE_EXPIRY,
    OLDEST_DAYS,
    ORDER_FUNCTIONS,
    PAYMENT_VERSION,
    PREFIX,
    QUEUE_SHIPPING,
    SEARCH_ORDER,
    SHIPPING_RESULT,
    UPDATE_SHIPPING,
)
from hanro_rakuten_ichiba.functions.shop import SHOP_FUNCTIONS, SHOP_MASTER

FUNCTIONS = (*ORDER_FUNCTIONS, *SHOP_FUNCTIONS, *CATALOGUE_FUNCTIONS)
BY_GRANT = {function.grant_id: function for function in FUNCTIONS}

__all__ = (
    "BY_GRANT",
    "CANCEL_ORDER",
    "CANCEL_SHIPPED",
    "CHANGE_ORDER",
    "CHANGE_SHIPPED",
    "CONFIRM_ORDER",
    "CONFIRM_PREFIX",
    "FUNCTIONS",
    "GET_ORDER",
    "GET_PAYMENT",
    "GET_SUB_STATUS_LIST",
    "LICENSE_EXPIRY",
    "OLDEST_DAYS",
    "PAYMENT_VERSION",
    "PREFIX",
    "QUEUE_SHIPPING",
    "SEARCH_ORDER",
    "SHIPPING_RESULT",
    "SHOP_MASTER",
    "UPDATE_SHIPPING",
    "Family",
    "Function",
    "Question",
)
