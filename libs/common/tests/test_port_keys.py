"""Proves that stock is found by the keys that a seller gave, and by no others."""

from hypothesis import given
from hypothesis import strategies as st

from hanro.errors import LocalizedText
from hanro.marketplace import match_key
from hanro.marketplace.types import KeyField, LengthUnit, Level, TextRule


def key_field(name: str, level: Level, *, is_case_folded: bool = False, is_default: bool = True) -> KeyField:
    """Describe a key as Rakuten Ichiba's are."""
    return KeyField(
        name=name,
        label=LocalizedText(ja=name, en=name),
        level=level,
        rule=TextRule(max_length=32, unit=LengthUnit.WIDTH_BYTES, charset="cp932"),
        is_case_folded=is_case_folded,
        is_unique=True,
        is_default=is_default,
    )


ICHIBA = (
    key_field("manage_number", Level.LISTING, is_case_folded=True),
    key_field("variant_id", Level.VARIANT),
    key_field("item_number", Level.LISTING, is_default=False),
)
FRANCE = (key_field("sku", Level.LISTING), key_field("ean", Level.LISTING, is_default=False))
keys = st.text('aA"[],\\/ 商', min_size=0, max_size=5)


@given(keys, keys, keys, keys)
def test_two_pairs_of_keys_never_meet(listing: str, variant: str, other_listing: str, other_variant: str) -> None:
    one = match_key(ICHIBA, {"manage_number": listing, "variant_id": variant})
    other = match_key(ICHIBA, {"manage_number": other_listing, "variant_id": other_variant})
    if one is not None and variant.strip() and other_variant.strip():
        assert (one == other) == ((listing.lower(), variant) == (other_listing.lower(), other_variant))


def test_letter_case_counts_where_the_key_field_says_so() -> None:
    found = match_key(ICHIBA, {"manage_number": "Tea-01", "variant_id": "Red"})
    assert found == match_key(ICHIBA, {"manage_number": "TEA-01", "variant_id": "Red"})
    assert found != match_key(ICHIBA, {"manage_number": "tea-01", "variant_id": "red"})
    assert match_key(FRANCE, {"sku": "Tea"}) != match_key(FRANCE, {"sku": "tea"})


def test_keys_that_are_no_default_do_not_count() -> None:
    plain = {"manage_number": "tea", "variant_id": "red"}
    assert match_key(ICHIBA, plain) == match_key(ICHIBA, {**plain, "item_number": "T1", "unheard_of": "x"})


def test_a_line_without_a_variant_key_is_found_by_its_listing_alone() -> None:
    assert match_key(ICHIBA, {"manage_number": "tea"}) == match_key(ICHIBA, {"manage_number": "tea", "variant_id": ""})
    assert match_key(FRANCE, {"sku": "tea"}) is not None


def test_nothing_is_found_by_a_blank_listing_key() -> None:
    for blank in ({}, {"manage_number": ""}, {"manage_number": " 　"}, {"variant_id": "red"}):
        assert match_key(ICHIBA, blank) is None
    assert match_key((), {"sku": "tea"}) is None
