"""Stands before every function: key, rate, grant and content type, refused in the gateway's words."""

import math
from email.message import Message

from hanro_rakuten_ichiba.simulator.answers import CABINET_TYPE, Answers
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.catalogue import cabinet
from hanro_rakuten_ichiba.simulator.keys import Credentials, read_authorization
from hanro_rakuten_ichiba.simulator.operations import (
    Operation,
    family_of,
    find_operation,
    find_operations,
    normalise,
)
from hanro_rakuten_ichiba.simulator.shop_api import write_result
from hanro_rakuten_ichiba.simulator.shops import Shop, Shops
from simkit.exchange import Caller, Reply, Request
from simkit.limits import Limits


class Gateway:
    """Let a request through to its function, or refuse it: path, method, key, rate, grant, content type.

    R-Cabinet words dead keys and rates in its own XML; a function that is off the gateway refuses everywhere [?].
    Source: rakuten-ichiba-orders 1.2, 1.3, 14.1, 14.2; rakuten-ichiba-catalog 6.5, 10; the order [?].
    """

    def __init__(self, shops: Shops, limits: Limits, answers: Answers, assumptions: Assumptions) -> None:
        self._shops = shops
        self._limits = limits
        self._answers = answers
        self._assumptions = assumptions

    def identify(self, request: Request) -> Caller:
        """Tell shop and function; a dead key still tells its shop."""
        operation = find_operation(request.method, self._path(request))
        credentials = self._credentials(request)
        owner = None if credentials is None else self._shops.find_by_credentials(credentials)
        return Caller(
            shop=None if owner is None else owner[0].number,
            function=None if operation is None else operation.function,
        )

    def admit(self, request: Request) -> tuple[Operation, Shop] | Reply:
        """Give function and shop, or the refusal."""
        operation = self._locate(request)
        if isinstance(operation, Reply):
            return operation
        if self._assumptions.content_type_first and not self._has_taken_type(request, operation):
            return self._unsupported_type(request, operation)
        shop = self._authenticate(request, operation)
        if isinstance(shop, Reply):
            return shop
        refusal = self._check_call(request, operation, shop)
        return (operation, shop) if refusal is None else refusal

    def throttled(self, wait_seconds: float, operation: Operation | None = None) -> Reply:
        """Say that there were too many calls.

        Source: rakuten-ichiba-orders 1.3 [?]; R-Cabinet's 403 rakuten-ichiba-catalog 6.5 [2+].
        """
        if operation is not None and operation.family == "cabinet":
            return self._cabinet(operation, 403, "QPSLimit")
        wait = max(1, math.ceil(wait_seconds))
        return self._answers.errors(429, "SIM-429", "Too Many Requests", more=[("Retry-After", str(wait))])

    def malformed(self, code: str = "GK0001") -> Reply:
        """Refuse what is structurally bad; the text of the current gateway is unknown."""
        if self._assumptions.gateway == "older":
            return self._bad_request()
        return self._answers.errors(400, code, "(text unknown: malformed)")

    def unauthorised(self) -> Reply:
        """Refuse a key that is wrong, expired or revoked."""
        if self._assumptions.gateway == "older":
            return self._answers.results(401, "ES01-01", "Un-Authorised")
        return self._answers.errors(401, "GA0001", "Un-Authorised")

    def _locate(self, request: Request) -> Operation | Reply:
        path = self._path(request)
        found = find_operations(path)
        operation = next((one for one in found if one.method == request.method), None)
        if operation is not None:
            return operation
        family = family_of(path)
        if family == "shop" and not found:
            return self._answers.xml(*write_result("C003"))
        if family in ("items", "inventories", "categories") and self._assumptions.unknown_route == "GE0007":
            return self._answers.errors(400, "GE0007", "Requested path doesn't exist")
        if not found:
            return self._answers.errors(404, "SIM-404", "Not Found")
        if family == "cabinet":
            return self._cabinet(found[0], 405, "Method Not Allowed")
        allowed = ", ".join(sorted({one.method for one in found}))
        return self._answers.errors(405, "SIM-405", "Method Not Allowed", more=[("Allow", allowed)])

    def _authenticate(self, request: Request, operation: Operation) -> Shop | Reply:
        credentials = self._credentials(request)
        owner = None if credentials is None else self._shops.find_by_credentials(credentials)
        shop, key = owner or (None, None)
        verdict = "dead" if key is None else key.judge(request.received_at)
        if shop is not None and verdict != "dead":
            return self._bad_request() if verdict == "pending" else shop
        if operation.family == "cabinet":
            return self._cabinet(operation, 401, "AuthError")
        return self.malformed() if credentials is None else self.unauthorised()

    def _check_call(self, request: Request, operation: Operation, shop: Shop) -> Reply | None:
        wait_seconds = self._limits.admit(shop.number, operation.group)
        if wait_seconds is not None:
            return self.throttled(wait_seconds, operation)
        is_csv_needed = self._assumptions.items_need_csv_option
        if operation.grant in shop.disabled_grants or shop.contracts.find_lacking(
            operation, is_csv_needed=is_csv_needed
        ):
            return self._bad_request()
        return None if self._has_taken_type(request, operation) else self._unsupported_type(request, operation)

    def _bad_request(self) -> Reply:
        return self._answers.results(400, "ES04-01", "Bad Request")

    def _unsupported_type(self, request: Request, operation: Operation) -> Reply:
        """Refuse a media type. Source: rakuten-ichiba-orders 1.2 [1]; rakuten-ichiba-catalog 2.2, 2.12 [1]."""
        if operation.family in ("items", "inventories", "categories"):
            named = request.header("content-type") or "null"
            return self._answers.errors(415, "GE0012", f"Media Type {named} is not supported")
        return self._answers.results(415, "ES04-03", "Unsupported Media Type")

    def _cabinet(self, operation: Operation, status: int, message: str) -> Reply:
        answered = cabinet.failed(operation.function, status, message, self._answers.request_id())
        return self._answers.xml(*answered, CABINET_TYPE)

    def _path(self, request: Request) -> str:
        return normalise(request.path) if self._assumptions.normalises_paths else request.path

    def _credentials(self, request: Request) -> Credentials | None:
        is_lenient = self._assumptions.authorization == "lenient"
        return read_authorization(request.header("authorization"), is_lenient=is_lenient)

    def _has_taken_type(self, request: Request, operation: Operation) -> bool:
        """Tell whether the content type is taken, letter case and blanks aside; no body needs none.

        The XML services look themselves: R-Cabinet takes any type and none (rakuten-ichiba-catalog 6.5 [wire]).
        """
        if operation.method in ("GET", "DELETE") or operation.family in ("shop", "cabinet"):
            return True
        content_type = request.header("content-type")
        if content_type is None:
            return not request.body
        reader = Message()
        reader["Content-Type"] = content_type
        charset = reader.get_content_charset()
        if reader.get_content_type() != "application/json":
            return False
        if charset is None:
            # The catalogue's services take it without (rakuten-ichiba-catalog 1.1 [?]).
            return operation.family != "order" or not self._assumptions.require_charset
        return charset in {name.lower() for name in self._assumptions.charsets}
