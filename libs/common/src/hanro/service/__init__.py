"""Builds what every service's process is made of, and runs it in the role that its command names."""

from hanro.service.parts import Built, Parts, Service, open_parts
from hanro.service.process import describe, main, migrate, public_routers

__all__ = ["Built", "Parts", "Service", "describe", "main", "migrate", "open_parts", "public_routers"]
