"""Builds what every service's process is made of, and runs it in the role that its command names."""

from hanro.service.apps import make_apps
from hanro.service.parts import Built, Parts, Service, open_parts
from hanro.service.process import describe, main, migrate

__all__ = ["Built", "Parts", "Service", "describe", "main", "make_apps", "migrate", "open_parts"]
