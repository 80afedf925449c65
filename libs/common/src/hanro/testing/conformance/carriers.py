"""Checks rule 26: carriers, their numbers, their pages; what is wrong is told before any request."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from urllib.parse import unquote, urlsplit

import pytest

from hanro.errors import Rejected
from hanro.marketplace import track
from hanro.marketplace.tracking import PLACE
from hanro.testing.conformance.market import Market

LEAST = 3
AWKWARD = "A/B&C?D=E#F%G"


class Carriers:
    """Rule 26."""

    def test_good_numbers_pass_and_bad_ones_are_named_where_the_form_is_public(self, market: Market) -> None:
        catalogue = market.plugin.carriers
        public = {one.code for one in catalogue.carriers if one.number_pattern is not None}
        assert set(market.tracking_numbers) == public
        for code, numbers in market.tracking_numbers.items():
            assert min(len(numbers.good), len(numbers.bad)) >= LEAST, code
            found = [track(catalogue, code, good, _page(market)).number for good in numbers.good]
            shortest = min((one for one in found if one is not None), key=len)
            for bad in (*numbers.bad, "", " ", "ABC", shortest[:-1]):
                with pytest.raises(Rejected) as refused:
                    track(catalogue, code, bad, _page(market))
                assert (refused.value.code, refused.value.field) == ("number-malformed", "number"), (code, bad)
                assert refused.value.remedy is not None
                assert not bad.strip() or bad not in refused.value.why

    def test_a_number_may_be_missing_and_is_never_blank(self, market: Market) -> None:
        for carrier in market.plugin.carriers.carriers:
            assert track(market.plugin.carriers, carrier.code, None, _page(market)).number is None
            with pytest.raises(Rejected):
                track(market.plugin.carriers, carrier.code, " - ", _page(market))

    def test_a_page_holds_the_number_percent_encoded_and_no_other_gap(self, market: Market) -> None:
        for carrier in market.plugin.carriers.carriers:
            if carrier.tracking_url is None:
                continue
            assert carrier.tracking_url.count(PLACE) == 1, carrier.code
            assert not set("{}") & set(carrier.tracking_url.replace(PLACE, "")), carrier.code
            known = market.tracking_numbers.get(carrier.code)
            found = track(market.plugin.carriers, carrier.code, known.good[0] if known else AWKWARD, None)
            assert found.url is not None
            assert found.number is not None
            before, _, after = carrier.tracking_url.partition(PLACE)
            place = found.url.removeprefix(before).removesuffix(after)
            assert unquote(place) == found.number
            assert not set("/&?=#") & set(place), carrier.code
            assert urlsplit(found.url).scheme == "https", carrier.code

    def test_each_carrier_is_found_by_its_code_its_names_and_its_aliases_alone(self, market: Market) -> None:
        catalogue = market.plugin.carriers
        codes = [one.code for one in catalogue.carriers]
        assert len(set(codes)) == len(codes)
        for carrier in catalogue.carriers:
            value = carrier.marketplace_value or catalogue.other_value
            for name in (carrier.code, carrier.names.ja, carrier.names.en.upper(), *carrier.aliases):
                found = track(catalogue, name, None, _page(market))
                assert (found.carrier_code, found.marketplace_value) == (carrier.code, value), name

    def test_an_unknown_carrier_is_an_error(self, market: Market) -> None:
        for unknown in ("", "no such carrier", "1"):
            with pytest.raises(Rejected) as refused:
                track(market.plugin.carriers, unknown, None, None)
            assert (refused.value.code, refused.value.field) == ("carrier-unsupported", "carrier")


def _page(market: Market) -> str:
    """Give an address for carriers that need one of the seller's."""
    return f"https://{market.plugin.id.replace('_', '-')}.example.invalid/parcel"
