"""Stands before every function: key, rate, grant and content type, refused in the gateway's words."""

import math
from email.message import Message

from hanro_rakuten_ichiba.simulator.answers import Answers
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.keys import Credentials, read_authorization
from hanro_rakuten_ichiba.simulator.operations import Operation, find_operation, is_shop_path, normalise
from hanro_rakuten_ichiba.simulator.shop_api import write_result
from hanro_rakuten_ichiba.simulator.shops import Shop, Shops
from simkit.exchange import Caller, Reply, Request
from simkit.limits import Limits


class Gateway:
    """Let a request through to its function, or refuse it: path, method, key, rate, grant, content type.

    Source: rakuten-ichiba-orders 1.2, 1.3, 14.1, 14.2; the order [?].
    """

    def __init__(self, shops: Shops, limits: Limits, answers: Answers, assumptions: Assumptions) -> None:
        self._shops = shops
        self._limits = limits
        self._answers = answers
        self._assumptions = assumptions

    def identify(self, request: Request) -> Caller:
        """Tell shop and function; a dead key still tells its shop."""
        operation = find_operation(self._path(request))
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
            return self._unsupported_type()
        shop = self._authenticate(request)
        if isinstance(shop, Reply):
            return shop
        refusal = self._check_call(request, operation, shop)
        return (operation, shop) if refusal is None else refusal

    def throttled(self, wait_seconds: float) -> Reply:
        """Say that there were too many calls. Source: rakuten-ichiba-orders 1.3 [?]."""
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
        operation = find_operation(path)
        if operation is None and is_shop_path(path):
            return self._answers.xml(*write_result("C003"))
        if operation is None:
            return self._answers.errors(404, "SIM-404", "Not Found")
        if request.method != operation.method:
            return self._answers.errors(405, "SIM-405", "Method Not Allowed", more=[("Allow", operation.method)])
        return operation

    def _authenticate(self, request: Request) -> Shop | Reply:
        credentials = self._credentials(request)
        if credentials is None:
            return self.malformed()
        owner = self._shops.find_by_credentials(credentials)
        shop, key = owner or (None, None)
        verdict = "dead" if key is None else key.judge(request.received_at)
        if shop is None or verdict == "dead":
            return self.unauthorised()
        return self._bad_request() if verdict == "pending" else shop

    def _check_call(self, request: Request, operation: Operation, shop: Shop) -> Reply | None:
        wait_seconds = self._limits.admit(shop.number, operation.group)
        if wait_seconds is not None:
            return self.throttled(wait_seconds)
        if operation.grant in shop.disabled_grants:
            return self._bad_request()
        return None if self._has_taken_type(request, operation) else self._unsupported_type()

    def _bad_request(self) -> Reply:
        return self._answers.results(400, "ES04-01", "Bad Request")

    def _unsupported_type(self) -> Reply:
        return self._answers.results(415, "ES04-03", "Unsupported Media Type")

    def _path(self, request: Request) -> str:
        return normalise(request.path) if self._assumptions.normalises_paths else request.path

    def _credentials(self, request: Request) -> Credentials | None:
        is_lenient = self._assumptions.authorization == "lenient"
        return read_authorization(request.header("authorization"), is_lenient=is_lenient)

    def _has_taken_type(self, request: Request, operation: Operation) -> bool:
        """Tell whether the content type is taken, letter case and blanks aside; no body needs none."""
        if operation.method != "POST":
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
            return not self._assumptions.require_charset
        return charset in {name.lower() for name in self._assumptions.charsets}
