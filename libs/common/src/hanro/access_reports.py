"""Tells account-svc how calls for an account fare: at once on a refusal or a change, else at most every 5 minutes."""

from collections.abc import Iterable

from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.errors import NeedsSeller


class AccessLog:
    """Note successes and refusals per grant, and record AccessReported facts; one a process."""

    def __init__(self, db: Database, clock: Clock, *, service: str) -> None:
        raise NotImplementedError

    async def succeeded(
        self, account_id: str, grant_ids: Iterable[str], *, credential_version: int, account_epoch: int
    ) -> None:
        """Note that calls which need these grants were served; cheap when that is known already."""
        raise NotImplementedError

    async def refused(
        self, account_id: str, failure: NeedsSeller, *, credential_version: int, account_epoch: int
    ) -> None:
        """Note that a call was refused for want of a grant or of the credential; recorded at once."""
        raise NotImplementedError

    async def released(self, tx: Transaction, account_id: str, *, account_epoch: int) -> None:
        """Record, in the transaction that deleted the account's part here, that its work up to an epoch has stopped."""
        raise NotImplementedError
