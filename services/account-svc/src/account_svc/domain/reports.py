"""Decides what another service's report about its calls means: which grants are known to work, and when to check."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from account_svc.domain.accounts import Account, State
from account_svc.domain.holdings import Holding
from hanro.errors import CREDENTIAL_CODES
from hanro.events.access import AccessReported
from hanro.marketplace.types import GrantState

FRESH = timedelta(minutes=10)
"""A grant that was used so recently need not be probed."""

GRANT_CODES = frozenset({"grant-missing", "option-missing", "account-kind"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Be how one grant fared in the calls of one service; times are the service's, None: not yet."""

    account_id: str
    service: str
    grant_id: str
    credential_version: int
    succeeded_at: datetime | None
    refused_at: datetime | None
    refusal_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Be what is known when a report arrives: the account, and what this service reported before, by grant."""

    account: Account
    uses: Mapping[str, Use]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Be what a report leads to: rows to keep, and the account that is to be checked, or let go further.

    `dead`: an account and a version of its credentials, older than those in use, that turned out to be refused.
    """

    uses: tuple[Use, ...]
    checked_account_id: str | None
    dead: tuple[str, int] | None = None
    holding: Holding | None = None
    released_account_id: str | None = None


def respond(known: Heard | None, report: AccessReported) -> Response:
    """Keep a report, and ask for a preflight where it tells of a refusal that is new.

    A report restates everything, so a refusal that is known already asks for nothing; nor does one of older
    credentials, of an older link, or of an account that does not work anyway.
    """
    if known is None or (report.account_epoch or 0) < known.account.epoch:
        return Response(uses=(), checked_account_id=None)
    uses = tuple(
        Use(
            account_id=known.account.id,
            service=report.service,
            grant_id=grant.grant_id,
            credential_version=report.credential_version,
            succeeded_at=grant.succeeded_at,
            refused_at=grant.refused_at,
            refusal_code=grant.refusal_code,
        )
        for grant in sorted(report.grants, key=lambda one: one.grant_id)
    )
    is_told = known.account.is_working and report.credential_version == known.account.credential_version
    is_alarming = is_told and any(_is_alarming(known, use) for use in uses)
    is_past = report.credential_version < known.account.credential_version and any(map(_is_key_refused, uses))
    return Response(
        uses=() if known.account.is_let_go else uses,
        checked_account_id=known.account.id if is_alarming else None,
        dead=(known.account.id, report.credential_version) if is_past else None,
        holding=_holding(known.account, report),
        released_account_id=known.account.id if known.account.state is State.UNLINKING else None,
    )


def _holding(account: Account, report: AccessReported) -> Holding | None:
    if report.holdings is None and report.released_epoch is None:
        return None
    return Holding(
        account_id=account.id,
        service=report.service,
        account_epoch=report.account_epoch or 0,
        released_epoch=report.released_epoch,
        counts=report.holdings or {},
        counted_at=report.at,
    )


def fresh_grants(
    account: Account, uses: Mapping[tuple[str, str], Use], logins: Collection[str], now: datetime
) -> dict[str, Use]:
    """Give the grants that were used with the present credentials in the last minutes, by id: they need no probe.

    None of the key is, once its refusal is the latest news: what worked before it died says nothing. `logins` are the
    grants of mail relays, which live and die by themselves.
    """
    present = [use for use in uses.values() if use.credential_version == account.credential_version]
    of_key = [use for use in present if use.grant_id not in logins]
    died_at = max(
        (use.refused_at for use in of_key if use.refused_at and use.refusal_code in CREDENTIAL_CODES), default=None
    )
    found: dict[str, Use] = {}
    for use in present:
        if use.succeeded_at is None or use.succeeded_at < now - FRESH:
            continue
        if died_at is not None and use in of_key and use.succeeded_at <= died_at:
            continue
        if use.refused_at is not None and use.refused_at >= use.succeeded_at:
            continue
        found[use.grant_id] = use
    return found


def is_refused_lately(account: Account, uses: Mapping[tuple[str, str], Use], logins: Collection[str]) -> bool:
    """Tell whether the latest news of the present key is that it was refused: nobody else calls then.

    `logins` are the grants of mail relays: their secret is another, and lives on when the key is dead.
    """
    present = [
        use
        for use in uses.values()
        if use.credential_version == account.credential_version and use.grant_id not in logins
    ]
    refused = [use.refused_at for use in present if use.refused_at and use.refusal_code in CREDENTIAL_CODES]
    served = [use.succeeded_at for use in present if use.succeeded_at]
    return bool(refused) and (not served or max(refused) >= max(served))


def own_refusal(account: Account, service: str, grant_id: str, at: datetime) -> Use:
    """Note that our own call was told that the credential is dead: from then on nothing older counts."""
    return Use(
        account_id=account.id,
        service=service,
        grant_id=grant_id,
        credential_version=account.credential_version,
        succeeded_at=None,
        refused_at=at,
        refusal_code="credential-refused",
    )


def _is_key_refused(use: Use) -> bool:
    is_last = use.refused_at is not None and (use.succeeded_at is None or use.succeeded_at <= use.refused_at)
    return is_last and use.refusal_code in CREDENTIAL_CODES


def _is_alarming(known: Heard, use: Use) -> bool:
    if use.refused_at is None or (use.succeeded_at is not None and use.succeeded_at > use.refused_at):
        return False
    before = known.uses.get(use.grant_id)
    if before is not None and before.refused_at is not None and before.refused_at >= use.refused_at:
        return False
    if use.refusal_code in CREDENTIAL_CODES:
        return True
    states = {seen.grant_id: seen.state for seen in known.account.grants}
    return use.refusal_code in GRANT_CODES and states.get(use.grant_id) is not GrantState.DENIED
