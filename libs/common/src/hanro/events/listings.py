"""Facts of catalog-svc about listings: which of a marketplace's offers is which of our SKUs."""

from typing import ClassVar

from hanro.events.fact import Fact


class ListingAdopted(Fact):
    """A marketplace offer was mapped to a SKU; the aggregate is the listing (`lst_…`). Nothing was sent there."""

    type: ClassVar[str] = "hanro.listing.adopted.v1"
    topic: ClassVar[str] = "hanro.listings"

    marketplace_id: str
    """The plug-in's id."""
    keys: dict[str, str]
    """The seller's keys by the plug-in's key field, verbatim."""
    match_key: str
    """The default keys, folded and joined: equal for the offers that are the same."""
    sku: str
    """The join key of catalogue, stock and lines."""
