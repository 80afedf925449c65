"""Finds the marketplaces that are installed here, by entry point."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from hanro.marketplace.port.plugin import Plugin
from hanro.marketplace.types.plain import MarketplaceId

GROUP = "hanro.marketplaces"


def installed() -> Mapping[MarketplaceId, Plugin]:
    """Load the plug-ins of this environment, sorted by id; importing one does no I/O.

    Raises:
        ValueError: an entry point whose name is not the id of its plug-in, or two of one name.
    """
    return load(tuple(entry_points(group=GROUP)))


def load(points: tuple[EntryPoint, ...]) -> Mapping[MarketplaceId, Plugin]:
    """Load the plug-ins that entry points name; a point's name is the plug-in's id.

    Raises:
        ValueError: an entry point whose name is not the id of its plug-in, or two of one name.
    """
    found: dict[MarketplaceId, Plugin] = {}
    for point in sorted(points, key=lambda one: one.name):
        plugin: Plugin = point.load()
        if plugin.id != point.name:
            raise ValueError(f"entry point {point.name!r} loads the plug-in {plugin.id!r}")
        if plugin.id in found:
            raise ValueError(f"the marketplace {plugin.id!r} is installed twice")
        found[plugin.id] = plugin
    return MappingProxyType(found)
