"""Says what catalog-svc is told by its environment: nothing beyond what every service is."""

from hanro.settings import CommonSettings


class CatalogSettings(CommonSettings):
    """Hold what catalog-svc is told."""
