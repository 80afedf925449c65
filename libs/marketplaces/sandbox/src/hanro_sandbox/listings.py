"""Puts, reads and describes listings: the port's `Listings`."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from hanro.errors import ContractBroken, LocalizedText, Retryable
from hanro.marketplace.port import Session
from hanro.marketplace.types import (
    AttributeRule,
    Category,
    CategorySchema,
    Cursor,
    ImageFile,
    LengthUnit,
    Level,
    ListingChange,
    ListingPage,
    ListingRef,
    Outcome,
    OutcomeStatus,
    Part,
    Receipt,
    Requirement,
    SaleStatus,
    SeenListing,
    TextRule,
    Ticket,
    ValueType,
)
from hanro_sandbox.client import Client, Reply
from hanro_sandbox.declared.limits import LIMITS, MOST
from hanro_sandbox.drafts import entry_of, read_listing, write_listing
from hanro_sandbox.functions import GET_CATEGORIES, GET_LISTINGS, PUT_IMAGES, PUT_LISTINGS, SEARCH_LISTINGS
from hanro_sandbox.sending import check_batch, send_all

PARTS = frozenset({Part.CONTENT, Part.IMAGES, Part.VARIANTS, Part.PRICE, Part.SALE})
"""What one put brings: a listing stands whole or not at all."""
_MOST_VALUES = 1000


class SandboxListings:
    """Be the door to one shop's listings."""

    def __init__(self, session: Session) -> None:
        self._client = Client(session)

    async def put(self, changes: Sequence[ListingChange]) -> Receipt[str]:
        """Put whole listings, in one request.

        Raises:
            Retryable, NeedsSeller: nothing was changed.
            ValueError: more than 100, or a change twice.

        Source: README, Listings.
        """
        check_batch([change.id for change in changes], MOST)
        entries = {change.id: entry_of(change) for change in changes}
        return await send_all(self._client, PUT_LISTINGS, "listings", entries, parts=PARTS)

    async def upload(self, images: Sequence[ImageFile]) -> Receipt[str]:
        """Store images under their digest.

        Raises:
            Retryable, NeedsSeller: nothing was changed.
            ValueError: more than ten, or an image twice.
        """
        check_batch([image.sha256 for image in images], LIMITS.batches["listings.upload"].size)
        entries = {
            image.sha256: {
                "sha256": image.sha256,
                "name": image.name,
                "type": image.media_type,
                "content": base64.b64encode(image.content).decode("ascii"),
            }
            for image in images
        }
        return await send_all(self._client, PUT_IMAGES, "images", entries)

    async def poll(self, ticket: Ticket, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Tell what stands: nothing is ever SENT, so no ticket is waited for."""
        del ticket
        return await self.verify(asked)

    async def verify(self, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Hold what is wanted against what stands.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        check_batch([change.id for change in asked], MOST)
        found = {seen.ref.seller_key: seen for seen in await self.fetch([change.wanted.ref for change in asked])}
        return Receipt(outcomes=tuple(_verified(change, found.get(change.wanted.ref.seller_key)) for change in asked))

    async def pages(self, after: Cursor | None = None) -> AsyncIterator[ListingPage]:
        """Yield all listings by their key, without drafts.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        place: object = after
        while True:
            reply = await self._client.read(SEARCH_LISTINGS, {"after": place})
            before, place = place, reply.members.get("next")
            cursor = Cursor(place) if isinstance(place, str) else None
            listings = _listings(reply, is_whole=False)
            if listings:
                yield ListingPage(listings=listings, cursor=cursor)
            if cursor is None:
                return
            if place == before:
                raise ContractBroken("the search shows the same page again", code="pagination-stuck")

    async def fetch(self, refs: Sequence[ListingRef]) -> tuple[SeenListing, ...]:
        """Read listings whole, by either key; unknown ones are left out.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
            ValueError: more than 100, or one twice.
        """
        check_batch(list(refs), MOST)
        if not refs:
            return ()
        keys = [ref.external_id or ref.seller_key for ref in refs]
        return _listings(await self._client.read(GET_LISTINGS, {"keys": keys}), is_whole=True)

    async def categories(self, parent_id: str | None) -> tuple[Category, ...]:
        """Give the children of a category."""
        found = _members(await self._client.read(GET_CATEGORIES, {"parent": parent_id}), "categories")
        return tuple(
            Category(
                external_id=str(one.get("id")),
                parent_id=parent_id,
                name=LocalizedText(ja=str(one.get("ja")), en=str(one.get("en"))),
                is_leaf=one.get("is_leaf") is True,
                has_children_given=False,
            )
            for one in found
        )

    async def schema(self, category_id: str) -> CategorySchema:
        """Give the attributes of a leaf: all are optional texts."""
        found = _members(await self._client.read(GET_CATEGORIES, {"parent": category_id}), "attributes")
        return CategorySchema(
            category_id=category_id, asked_id=category_id, version="2026.1", attributes=tuple(map(_rule, found))
        )

    async def values(self, category_id: str, attribute_id: str, text: str) -> tuple[tuple[str, str], ...]:
        """Search the values of an attribute."""
        rules = (await self.schema(category_id)).attributes
        known = next((one.values or () for one in rules if one.id == attribute_id), ())
        return tuple((one, one) for one in known if text in one)[:_MOST_VALUES]


def _verified(change: ListingChange, seen: SeenListing | None) -> Outcome[str]:
    is_gone = change.wanted.sale is SaleStatus.DELETED
    stands = seen is None if is_gone else seen is not None and _same(change, seen)
    if stands:
        return Outcome(key=change.id, status=OutcomeStatus.APPLIED, parts=PARTS)
    absent = Retryable("what is wanted does not stand there", code="unavailable")
    return Outcome(key=change.id, status=OutcomeStatus.NOT_SENT, failure=absent)


def _same(change: ListingChange, seen: SeenListing) -> bool:
    return seen.draft is not None and json.dumps(write_listing(change.wanted), sort_keys=True) == json.dumps(
        write_listing(seen.draft), sort_keys=True
    )


def _listings(reply: Reply, *, is_whole: bool) -> tuple[SeenListing, ...]:
    try:
        found = _members(reply, "listings")
        return tuple(read_listing(tree, reply.sent_at, is_whole=is_whole) for tree in found)
    except ValueError as error:
        raise ContractBroken(str(error), code="unreadable", field="/listings") from None


def _members(reply: Reply, name: str) -> list[dict[str, Any]]:
    found = reply.members.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ContractBroken(f"the answer has no list of {name}", code="unreadable", field=f"/{name}")
    return found


def _rule(tree: dict[str, Any]) -> AttributeRule:
    return AttributeRule(
        id=str(tree.get("id")),
        name=str(tree.get("name")),
        level=Level.LISTING,
        requirement=Requirement.OPTIONAL,
        group=None,
        type=ValueType.TEXT,
        rule=TextRule(max_length=100, unit=LengthUnit.CHARACTERS, charset="utf-8"),
        max_values=1,
        units=(),
        minimum=None,
        maximum=None,
        values=tuple(str(one) for one in tree.get("values") or ()),
        is_closed=False,
        is_same_in_all_variants=True,
    )
