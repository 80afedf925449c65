"""Holds who may hand mail to the relay, and from which addresses."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Login:
    """State one shop's access; `allowed_senders` are whole addresses, compared without regard to letter case."""

    shop: str
    username: str
    password: str = field(repr=False)
    allowed_senders: frozenset[str]

    def allows_sender(self, address: str) -> bool:
        """Tell whether `address` may stand in MAIL FROM."""
        return address.casefold() in {allowed.casefold() for allowed in self.allowed_senders}


class Logins:
    """Hold logins by username."""

    def __init__(self, logins: Iterable[Login] = ()) -> None:
        self._logins = {login.username: login for login in logins}

    def put(self, login: Login) -> None:
        """Add a login, or replace the one of the same username."""
        self._logins[login.username] = login

    def replace(self, logins: Iterable[Login]) -> None:
        """Hold these logins and no others."""
        self._logins = {login.username: login for login in logins}

    def remove(self, username: str) -> bool:
        """Drop a login; False when there was none."""
        return self._logins.pop(username, None) is not None

    def list(self) -> tuple[Login, ...]:
        """Give all logins, by username."""
        return tuple(self._logins[username] for username in sorted(self._logins))

    def find(self, username: str, password: str) -> Login | None:
        """Give the login that this pair opens, None when it opens none."""
        login = self._logins.get(username)
        if login is None or not hmac.compare_digest(login.password.encode(), password.encode()):
            return None
        return login

    def find_by_username(self, username: str) -> Login | None:
        """Give the login of that name as it is now, None when it was taken away."""
        return self._logins.get(username)
