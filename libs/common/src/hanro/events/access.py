"""Facts about access to marketplaces, told by every service that calls one: the early warning of a dead key."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from hanro.events.fact import Fact, Part


class GrantUsed(Part):
    """Tell how one grant fared in the calls of one service."""

    grant_id: str
    """The plug-in's id of what a seller switches on."""
    succeeded_at: AwareDatetime | None = None
    """When the last call that was served began; None: none yet."""
    refused_at: AwareDatetime | None = None
    """The last call that was refused for want of this grant or of the credential; None: none yet."""
    refusal_code: str | None = None
    """Stable code of that refusal, for example `credential-refused` or `grant-missing`."""
    refusal_text: str | None = None
    """The marketplace's own code, without secrets."""


class AccessReported(Fact):
    """A service restates how its calls for one account fared; the aggregate is `<account id>:<service>`."""

    type: ClassVar[str] = "hanro.access.reported.v1"
    topic: ClassVar[str] = "hanro.access"

    service: Literal["account-svc", "catalog-svc", "order-svc", "notifier-svc"]
    """Who called."""
    credential_version: int
    """Version of the credentials that the last call used; a refusal of an older one says nothing of a newer."""
    grants: tuple[GrantUsed, ...]
    """Every grant that this service has used with these credentials."""
    released_epoch: int | None = None
    """All work of this epoch and of older ones this service has stopped and deleted; None: of none."""
    holdings: dict[str, int] | None = None
    """How much of the account this service holds, by what it is (`listings`, `bindings` …); None: not counted."""
