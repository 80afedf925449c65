"""Plays the token issuer in tests of an edge: the token itself says who calls and with which scopes."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from json import dumps, loads

from hanro.auth import ALL_SHOPS, Caller, Unauthenticated
from hanro.crypto import Keyring


class SpokenCallers:
    """Believe every token that `bearer` wrote, and no other."""

    async def caller(self, token: str) -> Caller:
        """Give who calls.

        Raises:
            Unauthenticated: not written by `bearer`.
        """
        try:
            subject, scopes, shops = loads(urlsafe_b64decode(token.encode()))
        except ValueError:
            raise Unauthenticated("The token is not one of this test's.") from None
        return Caller(subject=subject, scopes=frozenset(scopes), shops=frozenset(shops))


def bearer(*scopes: str, subject: str = "tester", shops: tuple[str, ...] = (ALL_SHOPS,)) -> dict[str, str]:
    """Write the header of a caller with these scopes."""
    token = urlsafe_b64encode(dumps([subject, scopes, shops]).encode()).decode()
    return {"Authorization": f"Bearer {token}"}


def fixed_keyring() -> Keyring:
    """Make a keyring of fixed keys; it protects nothing."""
    return Keyring({"test-1": bytes(range(32))}, current_id="test-1", index_key=bytes(range(32, 64)))
