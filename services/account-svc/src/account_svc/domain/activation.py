"""Decides whether an account of a marketplace can work at all with this version of its plug-in. Values alone."""

from collections.abc import Mapping
from dataclasses import asdict

from account_svc.domain.accounts import Reason
from account_svc.domain.preflights import NEEDED
from hanro.errors import Unsupported
from hanro.marketplace.types import Absent, Capability, Support


def find_absence(capabilities: Mapping[Capability, Support]) -> Absent | None:
    """Give why no account can work there: what every account needs is absent; None where accounts can work."""
    found = (capabilities.get(capability) for capability in NEEDED)
    return next((support for support in found if isinstance(support, Absent)), None)


def reason_of(absence: Absent) -> Reason:
    """Say on the account why it stays a draft."""
    return Reason(code="absent", why=_sentence(absence), remedy=absence.reason, menu=absence.menu)


def unsupported(absence: Absent) -> Unsupported:
    """Make the error of whatever would reach that marketplace."""
    return Unsupported(_sentence(absence), code="absent", remedy=absence.reason, menu=absence.menu)


def told(absence: Absent) -> dict[str, object]:
    """Say on an operation why it is rejected."""
    failure = unsupported(absence)
    return {
        "error": type(failure).__name__,
        "code": failure.code,
        "why": failure.why,
        "remedy": asdict(absence.reason),
        "menu": asdict(absence.menu) if absence.menu else None,
    }


def _sentence(absence: Absent) -> str:
    return f"Accounts of this marketplace can be saved, and do not work yet: {absence.reason.en}."
