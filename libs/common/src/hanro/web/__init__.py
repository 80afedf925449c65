"""Sets up the HTTP side that all services share: problems, scopes, idempotency, cursors, limits, OpenAPI."""

from hanro.web.answers import Answer, accepted
from hanro.web.app import Apps, ScopeUndeclared, ServiceInfo, create_app, document
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit, Position
from hanro.web.etags import etag, require_match
from hanro.web.guard import (
    any_version,
    body_limit,
    caller,
    file_body,
    key_needed,
    key_unused,
    may,
    require,
    router,
    visible_shops,
)
from hanro.web.idempotency import Idempotency
from hanro.web.open_routes import open_to_all
from hanro.web.problems import FieldFault, Problem
from hanro.web.shapes import Body, NextCursor, ProblemShown, Shown

__all__ = [
    "DEFAULT_PAGE",
    "Answer",
    "Apps",
    "Body",
    "CursorText",
    "Cursors",
    "FieldFault",
    "Idempotency",
    "Limit",
    "NextCursor",
    "Position",
    "Problem",
    "ProblemShown",
    "ScopeUndeclared",
    "ServiceInfo",
    "Shown",
    "accepted",
    "any_version",
    "body_limit",
    "caller",
    "create_app",
    "document",
    "etag",
    "file_body",
    "key_needed",
    "key_unused",
    "may",
    "open_to_all",
    "require",
    "require_match",
    "router",
    "visible_shops",
]
