"""Holds what the conversations of one relay share: its rules, its parts."""

import fnmatch
import ssl
from dataclasses import dataclass

from simkit.clock import Clock
from simkit.faults import FaultBook
from simkit.journal import Journal
from simkit.relay.logins import Logins
from simkit.relay.mailbox import Mailbox

SIZE_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Rules:
    """State a marketplace's rules for mail; defaults are Rakuten's.

    `recipient_pattern` is a glob over the recipient's domain. `checks_author` holds the From header to the rule of the
    envelope's sender. `takes_plain_text_alone` refuses HTML and attachments, of which nothing is known.
    Source: rakuten-ichiba-orders 12 [2+], size and plain text [?].
    """

    recipient_pattern: str = "*.fw.rakuten.ne.jp"
    size_limit_bytes: int = SIZE_LIMIT_BYTES
    host_name: str = "localhost"
    checks_author: bool = True
    takes_plain_text_alone: bool = False

    def allows_recipient(self, address: str) -> bool:
        """Tell whether the relay takes mail for `address`."""
        domain = address.rpartition("@")[2].casefold()
        return fnmatch.fnmatchcase(domain, self.recipient_pattern.casefold())


@dataclass(frozen=True)
class Desk:
    """Hold what all conversations of one relay share."""

    clock: Clock
    journal: Journal
    faults: FaultBook
    logins: Logins
    mailbox: Mailbox
    rules: Rules
    tls: ssl.SSLContext
    wrong_name_tls: ssl.SSLContext
