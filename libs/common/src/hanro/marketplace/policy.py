"""Judges what is about to be done by a marketplace's policy pack; the rules are data, and none stands here."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta

from pydantic import TypeAdapter

from hanro.errors import AgainstPolicy
from hanro.marketplace.types.enums.rules import Comparison, PolicyFact, PolicySubject, Verdict
from hanro.marketplace.types.limits import Condition, PolicyPack, Rule

Told = Mapping[PolicyFact, str | timedelta]
_DURATION = TypeAdapter(timedelta)


def breached(
    pack: PolicyPack, subject: PolicySubject, verdict: Verdict, told: Told, *, off: Collection[str] = ()
) -> Rule | None:
    """Give the first rule of that subject and verdict whose conditions all hold; None: nothing is against it.

    A condition on a fact that is not told does not hold. `off` are ids of rules that the installation switched off.
    """
    for rule in pack.rules:
        is_asked = rule.is_on and rule.id not in off and rule.subject is subject and rule.verdict is verdict
        if is_asked and all(_holds(condition, told.get(condition.fact)) for condition in rule.when):
            return rule
    return None


def against(rule: Rule) -> AgainstPolicy:
    """Make the error of what a rule refuses; code "policy-refused", and the rule's id and source."""
    return AgainstPolicy(rule.message.en, code="policy-refused", rule_id=rule.id, source=rule.source)


def _holds(condition: Condition, told: str | timedelta | None) -> bool:
    if told is None:
        return False
    match condition.comparison:
        case Comparison.IS:
            return told == condition.value
        case Comparison.IS_NOT:
            return told != condition.value
        case Comparison.MORE_THAN:
            return isinstance(told, timedelta) and told > _DURATION.validate_python(condition.value)
        case Comparison.MATCHES:
            return isinstance(told, str) and re.fullmatch(condition.value, told) is not None
