"""Sends requests to marketplaces and between services; the only room that knows the HTTP library."""

import sys

from hanro.http.service import ServiceHttp
from hanro.http.transport import Transport, tls_context

# httpcore looks for it along the whole path at each request, two fifths of what that costs, and goes on without it.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # that is how a module is said to be missing

__all__ = ["ServiceHttp", "Transport", "tls_context"]
