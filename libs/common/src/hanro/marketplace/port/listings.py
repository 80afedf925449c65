"""States how a plug-in publishes and reads listings."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hanro.marketplace.types.catalogue import (
    Category,
    CategorySchema,
    ImageFile,
    ListingChange,
    ListingPage,
    ListingRef,
    SeenListing,
)
from hanro.marketplace.types.effects import Receipt, Ticket
from hanro.marketplace.types.plain import Cursor


class Listings(Protocol):
    """Publish, change, withdraw and read listings. Caller: catalog-svc.

    A read may raise Retryable, NeedsSeller, ContractBroken, and Unsupported of an absent capability; a write raises
    only while it has changed nothing: Retryable, NeedsSeller, Unsupported. More entries than `limits.batches` allows,
    or a key twice, is ValueError. No method raises InDoubt.
    """

    async def put(self, changes: Sequence[ListingChange]) -> Receipt[str]:
        """Bring listings from `acknowledged` to `wanted` in the fewest calls; key: change id. May be SENT.

        The wanted sale is ON_SALE, OFF_SALE or DELETED. `parts` tells what stands, also beside REJECTED and IN_DOUBT. A
        creation whose seller_key is taken is already-exists, never an overwrite.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing, before anything changed.
            Unsupported: PUBLISH, PAUSE or DELETE is absent.
            ValueError: more than `limits.batches` allows, or a key twice.
        """

    async def upload(self, images: Sequence[ImageFile]) -> Receipt[str]:
        """Store images there; key: sha256. Repeatable: the path is derived from it, so it overwrites itself.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing.
            Unsupported: UPLOAD_IMAGES is absent.
            ValueError: more than `limits.batches` allows, or a key twice.
        """

    async def poll(self, ticket: Ticket, asked: Sequence[ListingChange]) -> Receipt[str]:
        """As `Orders.poll`."""

    async def verify(self, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Hold `wanted` against what stands, part by part, in their normal form; as `Orders.verify`."""

    def pages(self, after: Cursor | None = None) -> AsyncIterator[ListingPage]:
        """Yield all listings with keys, without `draft`; may lag a day. To adopt and export.

        Source: rakuten-ichiba-catalog 2.4.
        """

    async def fetch(self, refs: Sequence[ListingRef]) -> tuple[SeenListing, ...]:
        """Read listings with `draft`, found by either key; unknown ones are left out."""

    async def categories(self, parent_id: str | None) -> tuple[Category, ...]:
        """Give the children of a category, or all levels that one request brings; None: the root."""

    async def schema(self, category_id: str) -> CategorySchema:
        """Give the attributes of a leaf; a merged category answers with its heir.

        Raises:
            Rejected: no such category (not-found).
        """

    async def values(self, category_id: str, attribute_id: str, text: str) -> tuple[tuple[str, str], ...]:
        """Search (id, name) of an attribute, `brand` too; at most 1,000."""
