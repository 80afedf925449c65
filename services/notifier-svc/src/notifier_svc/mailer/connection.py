"""Speaks SMTP over one connection, a step a method: only the step tells what is known when one fails.

Until the answer to DATA nothing has left; once the final dot may be on its way only an answer tells.
Source: RFC 5321 4.5.3.2, RFC 1047.
"""

import re
import ssl
from dataclasses import dataclass, field

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Refusal, Rejected, Retryable
from notifier_svc.mailer.letter import Letter

READY_FOR_DATA = 354
TAKEN = 250
SERVICE_CLOSES = 421

_AWAY = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, aiosmtplib.SMTPConnectError, OSError)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# A relay may quote the buyer in any of its words: only these are kept, and its enhanced status (RFC 3463).
_KNOWN_WORDS = frozenset(
    {
        *("sender", "recipient", "address", "mailbox", "user", "message", "mail", "relay"),
        *("domain", "server", "service", "login", "authentication", "password", "rejected", "refused"),
        *("denied", "blocked", "failed", "unknown", "invalid", "unavailable", "not", "no"),
        *("such", "allowed", "permitted", "found", "full", "quota", "exceeded", "limit"),
        *("too", "large", "many", "big", "size", "spam", "policy", "temporarily"),
        *("temporary", "try", "again", "later", "busy", "closed", "ok", "queued"),
    }
)
_LONGEST_ANSWER = 300
_DOT_AT_START = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Be where a relay is reached: `host` is also the name that its certificate must carry."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Be what opens a relay; `greeting` is the name that we give ourselves."""

    username: str
    password: str = field(repr=False)
    greeting: str


class Connection:
    """Be an open, encrypted, logged-in connection; it carries one mail at a time, any number after each other."""

    def __init__(self, client: aiosmtplib.SMTP, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._used_at = clock.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Tell how long nothing was said."""
        return self._clock.monotonic() - self._used_at

    @property
    def is_open(self) -> bool:
        """Tell whether neither side has closed it, as far as is known here."""
        return self._client.is_connected

    async def is_alive(self) -> bool:
        """Ask the relay whether it still listens; one that does not is closed."""
        try:
            answer = await self._client.noop()
        except (aiosmtplib.SMTPException, OSError):
            self.close()
            return False
        self._used_at = self._clock.monotonic()
        return answer.code == TAKEN

    async def address(self, letter: Letter) -> None:
        """Name sender and recipient. Whatever it raises: the mail has surely not left.

        Raises:
            Retryable: refused for now (4xx), or the connection is gone; code "unavailable".
            Rejected: sender or recipient refused for good (5xx); code "sender-refused" or "recipient-refused".
            ContractBroken: an answer that is none; code "unreadable".
        """
        try:
            # Given as it is: the library would not derive another, and the relay checks this one.
            await self._client.mail(letter.sender)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise await self._known(error, "sender-refused") from None
        try:
            await self._client.rcpt(letter.recipient)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise await self._known(error, "recipient-refused") from None

    async def begin(self) -> None:
        """Ask to send the mail. Whatever it raises: the mail has surely not left. Errors are those of `address`."""
        try:
            answer = await self._client.execute_command(b"DATA")
            if answer.code != READY_FOR_DATA:
                raise aiosmtplib.SMTPDataError(answer.code, answer.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise await self._known(error, "refused") from None

    async def deliver(self, letter: Letter, *, timeout_seconds: float) -> str:
        """Send the mail with its final dot and give the relay's answer, without addresses.

        Raises:
            Retryable, Rejected: the relay answered 4xx, 5xx: it has not taken the mail.
            InDoubt: no answer (answer-lost), or one that is none (answer-unreadable): it may have taken it.
        """
        protocol = self._client.protocol
        if protocol is None:
            raise InDoubt("The connection to the relay is gone.", code="answer-lost")
        content = _DOT_AT_START.sub(b"..", normalize_message_line_endings(letter.content)) + b".\r\n"
        try:
            protocol.write(content)
            answer = await protocol.read_response(timeout=timeout_seconds)
        except aiosmtplib.SMTPResponseException:
            self.close()
            raise InDoubt("The relay's answer to the mail cannot be read.", code="answer-unreadable") from None
        except (aiosmtplib.SMTPException, OSError):
            self.close()
            raise InDoubt("The relay's answer to the mail was lost.", code="answer-lost") from None
        self._used_at = self._clock.monotonic()
        if answer.code == TAKEN:
            return f"{answer.code} {_discreetly(answer.message)}"
        if not 400 <= answer.code < 600:  # noqa: PLR2004  the classes of RFC 5321 4.2.1
            self.close()
            raise InDoubt("The relay's answer to the mail means nothing.", code="answer-unreadable")
        raise self._answered(answer.code, answer.message, "refused")

    async def leave(self) -> None:
        """Say goodbye where the relay still listens, and close."""
        try:
            await self._client.quit(timeout=1)
        except (aiosmtplib.SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """Close without a word; a mail that was only addressed is forgotten by the relay."""
        self._client.close()

    async def _known(
        self, error: aiosmtplib.SMTPException | OSError, code: str
    ) -> Retryable | Rejected | ContractBroken:
        failure = failure_of(error, code)
        if self.is_open and isinstance(error, aiosmtplib.SMTPResponseException) and error.code != SERVICE_CLOSES:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError):
                self.close()
        else:
            self.close()
        self._used_at = self._clock.monotonic()
        return failure

    def _answered(self, code: int, text: str, name: str) -> Retryable | Rejected | ContractBroken:
        if code == SERVICE_CLOSES:
            self.close()
        return failure_of(aiosmtplib.SMTPResponseException(code, text), name)


async def open_connection(
    address: Address, login: Login, *, tls: ssl.SSLContext, clock: Clock, step_seconds: float
) -> Connection:
    """Connect, encrypt, check the certificate's name, and log in; each step has `step_seconds`.

    Raises:
        Retryable: not reached, refused for now, or its certificate is not to be trusted; code "unavailable".
        NeedsSeller: the login is refused; code "credential-refused".
        Rejected: the relay refuses us otherwise (5xx); code "refused".
        ContractBroken: no STARTTLS, no AUTH, or answers that are none; code "unreadable".
    """
    client = aiosmtplib.SMTP(
        hostname=address.host,
        port=address.port,
        local_hostname=login.greeting,
        start_tls=False,
        timeout=step_seconds,
    )
    try:
        await client.connect()
        await client.ehlo()
        # Raises what becomes ContractBroken where the relay offers none: nothing is ever said in the clear.
        await client.starttls(server_hostname=address.host, tls_context=tls)
        await client.ehlo()
        await client.login(login.username, login.password)
    except aiosmtplib.SMTPAuthenticationError as error:
        client.close()
        raise _login_failure(error) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise failure_of(error, "refused") from None
    except BaseException:
        client.close()
        raise
    return Connection(client, clock)


def failure_of(error: aiosmtplib.SMTPException | OSError, code: str) -> Retryable | Rejected | ContractBroken:
    """Say who must act on what the library raised at a step before the mail's content; `code` names a 5xx."""
    if isinstance(error, _AWAY) and not isinstance(error, aiosmtplib.SMTPConnectResponseError):
        return Retryable(f"The relay cannot be reached ({type(error).__name__}).", code="unavailable")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        refusal = Refusal(code=str(error.code), message=_discreetly(error.message))
        if 400 <= error.code < 500:  # noqa: PLR2004  RFC 5321 4.2.1: transient
            return Retryable(f"The relay refused for now ({error.code}).", code="unavailable", refusal=refusal)
        if 500 <= error.code < 600:  # noqa: PLR2004  RFC 5321 4.2.1: permanent
            return Rejected(f"The relay refused ({error.code}).", code=code, refusal=refusal)
    return ContractBroken(f"The relay's answer cannot be read ({type(error).__name__}).", code="unreadable")


def _login_failure(error: aiosmtplib.SMTPAuthenticationError) -> Retryable | NeedsSeller:
    refusal = Refusal(code=str(error.code), message=_discreetly(error.message))
    if 400 <= error.code < 500:  # noqa: PLR2004  RFC 4954: 454, temporary
        return Retryable(f"The relay refused the login for now ({error.code}).", code="unavailable", refusal=refusal)
    why = f"The mail relay refused the login ({error.code})."
    return NeedsSeller(why, code="credential-refused", refusal=refusal)


def _discreetly(text: str) -> str:
    status = _STATUS.search(text)
    words = [word for word in re.findall(r"[A-Za-z]+", text) if word.lower() in _KNOWN_WORDS]
    return " ".join([*([status[0]] if status else []), *words])[:_LONGEST_ANSWER]
