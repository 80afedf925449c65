"""Checks rule 11: awkward characters survive inwards; outwards a text meets its rule, or field and place are named."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hanro.errors import Rejected
from hanro.marketplace import fit, length_of
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import Channel, TextRule
from hanro.testing.conformance.mapping import read
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.values import texts, walk

AWKWARD = (
    "①㈱髙〜～－‖",
    "ﾊﾝｶｸｶﾅ ﾌﾘｶﾞﾅ",
    "\\ ¥ 0x5C \\u3042 表ソ能",
    "tab\tbell\x07escape\x1bend",
    "𠮷野家 👨‍👩‍👧 e\u0301",
    '"quotes" <b>&amp;</b> {subject} %s',
    "東京都千代田区" * 36 + "あいう",
)
SAMPLES = (*AWKWARD, "x", "見本", "€œ’", "\ud83d", "line\nbreak", "\u2028", "a" * 4096, "長" * 4096, "ｱ" * 300)


def outward_rules(plugin: Plugin) -> Iterator[tuple[str, TextRule]]:
    """Give every rule that a plug-in declares for what leaves: texts, keys, what its forms ask for."""
    yield from plugin.text_rules.items()
    yield from ((field.name, field.rule) for field in plugin.key_fields)
    yield from ((field.name, field.rule) for field in (*plugin.credential_form.fields, *plugin.listing_form))
    yield from ((field.name, field.rule) for field in (plugin.guide.sheet.fields if plugin.guide.sheet else ()))
    for layout in (*plugin.order_layouts, *plugin.listing_layouts):
        yield from ((column.name, column.rule) for column in layout.columns if column.rule is not None)


def folded(text: str, rule: TextRule) -> str:
    """Replace what a rule replaces."""
    for found, instead in rule.folds:
        text = text.replace(found, instead)
    return text


class Texts:
    """Rule 11."""

    async def test_awkward_characters_survive_inwards(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        placed = {shop.place(text=text, title=text)[0]: text for text in AWKWARD}
        orders = await read(market, database_url, shop, list(placed))
        assert len(orders) == len(AWKWARD)
        for order in orders:
            text = placed[order.external_id]
            assert order.buyer is not None
            assert order.buyer.name is not None
            assert order.buyer.name.family == text
            assert any(text in found for found in texts(order.packages))
            assert text in order.notes.values()
            assert {line.title for line in order.lines} == {text}

    def test_every_rule_can_be_met(self, market: Market) -> None:
        rules = [one for one in walk(_declared(market)) if isinstance(one, TextRule)]
        named = [rule for _, rule in outward_rules(market.plugin)]
        assert all(rule in named for rule in rules)
        for name, rule in outward_rules(market.plugin):
            for pattern in (rule.pattern, rule.refused):
                assert pattern is None or re.compile(pattern), name
            for found, instead in rule.folds:
                assert found != instead, name
                assert fit(instead, TextRule(max_length=None, unit=rule.unit, charset=rule.charset), name) == instead
            met = [text for text in SAMPLES if rule.pattern is not None or _is_taken(text, rule)]
            assert met, name

    def test_a_text_meets_its_rule_whole_or_is_refused_by_field_limit_and_position(self, market: Market) -> None:
        for name, rule in outward_rules(market.plugin):
            for text in SAMPLES:
                whole = folded(text, rule)
                sent = _sent(text, rule, name)
                if isinstance(sent, Rejected):
                    assert sent.field == name
                    assert text == "x" or text not in sent.why
                    _check_place(sent, whole, rule)
                    continue
                # Neither cut nor made "?": what arrives is what was folded, character by character.
                arrived = sent.encode(rule.charset).decode(rule.charset)
                assert sent == whole, name
                assert (len(arrived), arrived.count("?")) == (len(whole), whole.count("?")), name
                assert rule.max_length is None or length_of(sent, rule.unit) <= rule.max_length, name

    def test_a_rule_ends_at_its_limit(self, market: Market) -> None:
        for name, rule in outward_rules(market.plugin):
            if rule.max_length is None or rule.pattern is not None:
                continue
            assert fit("a" * rule.max_length, rule, name) == "a" * rule.max_length
            with pytest.raises(Rejected) as refused:
                fit("a" * (rule.max_length + 1), rule, name)
            assert (refused.value.code, refused.value.field) == ("text-too-long", name)
            assert str(rule.max_length) in refused.value.why


def _declared(market: Market) -> list[object]:
    """Give all that a plug-in declares, with the relay of its mail, if there is one."""
    secrets = Secrets(values=market.open_shop().secrets(), version=1, stored_at=datetime.now(UTC))
    relay = market.plugin.mail_relay(secrets) if Channel.RELAY in market.plugin.channels.values() else None
    return [*(getattr(market.plugin, name) for name in Plugin.__annotations__), relay]


def _sent(text: str, rule: TextRule, name: str) -> str | Rejected:
    """Give what would be sent, or the refusal."""
    try:
        return fit(text, rule, name)
    except Rejected as refused:
        return refused


def _is_taken(text: str, rule: TextRule) -> bool:
    return not isinstance(_sent(text, rule, "field"), Rejected)


def _check_place(refused: Rejected, whole: str, rule: TextRule) -> None:
    """See that what is named is so: the character at that place, or the limit."""
    match refused.code:
        case "text-unencodable":
            (place,) = re.findall(r"\d+", refused.why)
            before, character = whole[: int(place) - 1], whole[int(place) - 1]
            unbound = TextRule(max_length=None, unit=rule.unit, charset=rule.charset, refused=rule.refused)
            assert not _is_taken(character, unbound)
            assert _is_taken(before, TextRule(max_length=None, unit=rule.unit, charset=rule.charset)) or rule.refused
        case "text-too-long":
            assert rule.max_length is not None
            assert str(rule.max_length) in refused.why
            assert length_of(whole, rule.unit) > rule.max_length
        case code:
            assert (code, bool(rule.pattern)) == ("text-malformed", True)
