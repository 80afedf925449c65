"""Sends requests to marketplaces and between services; the only room that knows the HTTP library."""

from hanro.http.service import ServiceHttp
from hanro.http.transport import Transport, tls_context

__all__ = ["ServiceHttp", "Transport", "tls_context"]
