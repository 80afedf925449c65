"""Speaks SMTP with one client: the marketplace's rules, the fault dials, and what was said into the journal."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, TLSSetupException

from simkit.faults import Fault, Stage
from simkit.relay.desk import Desk
from simkit.relay.logins import Login
from simkit.relay.mailbox import read_content, read_heading


class _QuietSession(Session):
    # The library's own `login_data` logs a warning whenever it is touched, which is at every AUTH.
    login_data: Any = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.login: Login | None = None
        super().__init__(loop)


class _Rules:
    """Answer the library's hooks by the desk's rules."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def handle_EHLO(  # noqa: N802  the library finds hooks by this spelling
        self, server: "Conversation", session: _QuietSession, envelope: Envelope, host_name: str, responses: list[str]
    ) -> list[str]:
        """Offer the mechanisms in the order of rakuten-ichiba-orders 12; the library sorts them."""
        del server, envelope
        session.host_name = host_name
        return ["250-AUTH PLAIN LOGIN" if line.startswith("250-AUTH ") else line for line in responses]

    async def handle_MAIL(  # noqa: N802  the library finds hooks by this spelling
        self, server: "Conversation", session: _QuietSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        # A login that was taken away meanwhile no longer sends.
        login = session.login and self._desk.logins.find_by_username(session.login.username)
        if login is None or not login.allows_sender(address):
            # The library gives the empty sender with its brackets.
            return server.refuse("mail", f"552 5.2.0 <{address.strip('<>')}> sender rejected")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802  the library finds hooks by this spelling
        self, server: "Conversation", session: _QuietSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session
        if not self._desk.rules.allows_recipient(address):
            return server.refuse("rcpt", f"552 5.2.0 <{address}> recipient rejected")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802  the library finds hooks by this spelling
        self, server: "Conversation", session: _QuietSession, envelope: Envelope
    ) -> str:
        del session
        return await server.end_data(envelope)

    async def handle_exception(self, error: Exception) -> str:
        """Note a handshake that the client broke off; anything else is a bug and is logged by the library."""
        if not isinstance(error, TLSSetupException):
            raise error
        note = {"stage": "starttls", "shop": None, "answer": "handshake failed", "fault": None, "stored": None}
        self._desk.journal.add("smtp", note)
        # Never sent: the library closes the connection.
        return "454 4.7.0 TLS handshake failed"


class Conversation(SMTP):
    """Serve one client; made anew for each connection."""

    session: _QuietSession
    # What most servers ask; the library's own words end in a zero byte.
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        super().__init__(
            _Rules(desk),
            loop=loop,
            hostname=desk.rules.host_name,
            ident="ESMTP",
            data_size_limit=desk.rules.size_limit_bytes,
            tls_context=desk.tls,
            auth_required=True,
            auth_require_tls=True,
            authenticator=self._check_password,
            timeout=300,
        )

    def refuse(self, stage: Stage, answer: str) -> str:
        """Write a refusal into the journal and give it back as the answer."""
        self._record(stage, answer=answer)
        return answer

    async def end_data(self, envelope: Envelope) -> str:
        """Take the mail that ended with the final dot, unless a rule or a dial at `dot` says otherwise."""
        refusal = self._judge_heading(envelope.original_content or b"")
        if refusal is not None:
            return self.refuse("dot", refusal)
        fault = self._desk.faults.take_mail("dot", self._shop, tuple(envelope.rcpt_tos))
        if fault is None or fault.kind == "mail-slow" or fault.stored:
            self._store(envelope, fault)
        if fault is None:
            return "250 2.0.0 Ok: queued"
        if fault.kind == "mail-slow":
            await asyncio.sleep(fault.seconds or 0)
            return "250 2.0.0 Ok: queued"
        if fault.kind == "mail-cut":
            self._record("dot", fault=fault.kind, stored=fault.stored)
            return await self._reset()
        return self.refuse("dot", _answer(fault))

    def _judge_heading(self, raw: bytes) -> str | None:
        """Give the refusal of what the header says, None when it may pass."""
        rules, heading, login = self._desk.rules, read_heading(raw), self.session.login
        for author in heading.authors if rules.checks_author else ():
            if login is None or not login.allows_sender(author):
                return f"552 5.2.0 <{author}> sender rejected"
        if rules.takes_plain_text_alone and heading.media_type != "text/plain":
            return "554 5.6.0 (text unknown: plain text alone is taken)"
        return None

    async def push(self, status: Any) -> None:
        """Answer; the library's two size refusals get the marketplace's spelling."""
        text = status if isinstance(status, str) else bytes(status).decode("ascii", errors="replace")
        if text.startswith("552 Error:"):
            status = self.refuse("data", "552 5.3.4 Message size exceeds fixed limit")
        await super().push(status)
        if text.startswith("354"):
            fault = self._desk.faults.take_mail("body", self._shop, self._recipients)
            if fault is not None:
                await self._spoil("body", fault)

    async def _handle_client(self) -> None:
        fault = self._desk.faults.take_mail("connect", None)
        if fault is not None and not await self._spoil("connect", fault):
            self._writer.close()
            return
        await super()._handle_client()

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer HELO."""
        if await self._passes("ehlo"):
            await super().smtp_HELO(hostname)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer EHLO."""
        if await self._passes("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer AUTH."""
        if await self._passes("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer MAIL."""
        if await self._passes("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer RCPT."""
        address = (arg or "").partition("<")[2].partition(">")[0]
        if await self._passes("rcpt", (address,)):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  the library finds commands by this spelling
        """Answer DATA and read the mail."""
        if await self._passes("data", self._recipients):
            await super().smtp_DATA(arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  the library finds commands by this spelling
        """Begin TLS, or spoil it."""
        fault = self._desk.faults.take_tls()
        if fault is None:
            await super().smtp_STARTTLS(arg)
            return
        self._record("starttls", fault=fault.kind)
        if fault.kind == "mail-tls-name":
            self.tls_context = self._desk.wrong_name_tls
            await super().smtp_STARTTLS(arg)
            return
        await super().push("220 Ready to start TLS")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                # The client's greeting: a client that sees the end first would call it a lost connection.
                await self._reader.read(4096)
        self._writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # a fatal alert: handshake failure
        await self._writer.drain()
        self._writer.close()
        raise asyncio.CancelledError

    def _create_session(self) -> Session:
        return _QuietSession(self.loop)

    @property
    def _shop(self) -> str | None:
        login = self.session.login
        return None if login is None else login.shop

    @property
    def _recipients(self) -> tuple[str, ...]:
        return () if self.envelope is None else tuple(self.envelope.rcpt_tos)

    def _check_password(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, pair: LoginPassword
    ) -> AuthResult:
        del server, envelope, mechanism
        login = self._desk.logins.find(
            pair.login.decode("utf-8", errors="replace"), pair.password.decode("utf-8", errors="replace")
        )
        if login is None or not isinstance(session, _QuietSession):
            answer = self.refuse("auth", "535 5.7.8 Authentication credentials invalid")
            return AuthResult(success=False, handled=False, message=answer)
        session.login = login
        return AuthResult(success=True)

    async def _passes(self, stage: Stage, recipients: tuple[str, ...] = ()) -> bool:
        fault = self._desk.faults.take_mail(stage, self._shop, recipients)
        return fault is None or await self._spoil(stage, fault)

    async def _spoil(self, stage: Stage, fault: Fault) -> bool:
        """Do what the dial says; True when the conversation goes on as if nothing were."""
        if fault.kind == "mail-slow":
            self._record(stage, fault=fault.kind)
            await asyncio.sleep(fault.seconds or 0)
            return True
        if fault.kind == "mail-cut":
            self._record(stage, fault=fault.kind)
            await self._reset()
        answer = self.refuse(stage, _answer(fault))
        await super().push(answer)
        if answer.startswith("421") and self.transport is not None:
            # RFC 5321 4.2.3: 421 says that the channel closes.
            self.transport.close()
        return False

    async def _reset(self) -> str:
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.Transport):
            raw = transport.get_extra_info("socket")
            if raw is not None:
                # Linger of zero seconds: the kernel sends RST, as a dying host or a firewall does.
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        raise asyncio.CancelledError

    def _store(self, envelope: Envelope, fault: Fault | None) -> None:
        raw = envelope.original_content or b""
        mail = self._desk.mailbox.add(
            shop=self._shop or "",
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            raw=raw,
            received_at=self._desk.clock.now(),
        )
        self._desk.journal.add(
            "mail",
            {
                "mail_id": mail.id,
                "shop": mail.shop,
                "envelope_sender": mail.sender,
                "envelope_recipients": list(mail.recipients),
                "message_id": read_content(mail).message_id,
                "size_bytes": len(raw),
                "sha256": mail.digest,
                "fault": None if fault is None else fault.kind,
            },
        )

    def _record(
        self, stage: str, *, answer: str | None = None, fault: str | None = None, stored: bool | None = None
    ) -> None:
        self._desk.journal.add(
            "smtp", {"stage": stage, "shop": self._shop, "answer": answer, "fault": fault, "stored": stored}
        )


def _answer(fault: Fault) -> str:
    return f"{fault.status} {fault.body or '4.3.0 Simulated fault'}"
