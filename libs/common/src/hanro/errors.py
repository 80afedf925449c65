"""Says who must act when something fails: a machine, the seller, the data's owner, us, a person, or nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

# Of NeedsSeller: the key itself does not serve; another one, or the same once it is renewed, does.
CREDENTIAL_CODES = frozenset({"credential-refused", "credential-expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedText:
    """Be a text for people in Japanese and in English; neither is empty."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuPath:
    """Be the way to a page of a marketplace's back office, in the marketplace's own words, outermost first."""

    steps: tuple[str, ...]
    url: str | None = None
    is_login_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Be what a marketplace said when it refused: verbatim, secrets taken out."""

    code: str
    message: str
    http_status: int | None = None
    request_id: str | None = None
    field: str | None = None


class _Failed(Exception):
    """Be a failure that says who must act; `why` is one sentence without secrets or buyers' data, `code` is stable.

    `field` names the field at fault, `grant_id` the grant that is missing, `remedy` and `menu` what to do and where.
    """

    def __init__(
        self,
        why: str,
        *,
        code: str,
        refusal: Refusal | None = None,
        field: str | None = None,
        grant_id: str | None = None,
        remedy: LocalizedText | None = None,
        menu: MenuPath | None = None,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.code = code
        self.refusal = refusal
        self.field = field
        self.grant_id = grant_id
        self.remedy = remedy
        self.menu = menu

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.why!r}, code={self.code!r})"

    def __reduce__(self) -> tuple[Callable[[str], "_Failed"], tuple[str], dict[str, object]]:
        # An exception is copied by its positional arguments alone; `code` is none of them.
        return partial(type(self), code=self.code), (self.why,), vars(self)


class Retryable(_Failed):
    """A machine acts, later: `after` is how long to wait at least, None where nobody said.

    Codes: throttled, unavailable, lease-lost, key-settling.
    """

    def __init__(
        self,
        why: str,
        *,
        code: str,
        after: timedelta | None = None,
        refusal: Refusal | None = None,
        field: str | None = None,
        grant_id: str | None = None,
        remedy: LocalizedText | None = None,
        menu: MenuPath | None = None,
    ) -> None:
        super().__init__(why, code=code, refusal=refusal, field=field, grant_id=grant_id, remedy=remedy, menu=menu)
        self.after = after


class NeedsSeller(_Failed):
    """The seller acts: a key, a grant, an option, the kind of account.

    Codes: credential-refused, credential-expired, grant-missing, option-missing, account-kind.
    """


class Rejected(_Failed):
    """Whoever owns the data acts; repeating it as it is cannot help.

    Codes: refused, order-cancelled, already-decided, decision-too-late, already-exists, not-found, carrier-unsupported,
    number-malformed, parcel-dated, text-too-long, text-unencodable.
    """


class NotNow(Rejected):
    """What was asked is not possible in the present state; `state` names it, `possible` lists what can be asked now."""

    def __init__(
        self, why: str, *, code: str, state: str, possible: tuple[str, ...], remedy: LocalizedText | None = None
    ) -> None:
        super().__init__(why, code=code, remedy=remedy)
        self.state = state
        self.possible = possible

    def __reduce__(self) -> tuple[Callable[[str], "_Failed"], tuple[str], dict[str, object]]:
        made = partial(NotNow, code=self.code, state=self.state, possible=self.possible)
        return made, (self.why,), vars(self)


class AgainstPolicy(Rejected):
    """The marketplace's policy refuses it: `rule_id` names the rule, `source` says where the rule is from."""

    def __init__(self, why: str, *, code: str, rule_id: str, source: str, remedy: LocalizedText | None = None) -> None:
        super().__init__(why, code=code, remedy=remedy)
        self.rule_id = rule_id
        self.source = source

    def __reduce__(self) -> tuple[Callable[[str], "_Failed"], tuple[str], dict[str, object]]:
        made = partial(AgainstPolicy, code=self.code, rule_id=self.rule_id, source=self.source)
        return made, (self.why,), vars(self)


class ContractBroken(_Failed):
    """We act: the other side is not as documented. Codes: unreadable, unknown-status, pagination-stuck."""


class InDoubt(_Failed):
    """Nobody may guess: the answer to a write was lost. Codes: answer-lost, answer-unreadable, ticket-lost."""


class Unsupported(_Failed):
    """Nobody can act: it cannot be expressed there. Code: absent."""


Failure = Retryable | NeedsSeller | Rejected | ContractBroken | InDoubt | Unsupported
