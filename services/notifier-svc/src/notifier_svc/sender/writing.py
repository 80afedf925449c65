"""Writes the mail of a message: whom to, which text, by the relay's rules; each message by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hanro.clock import Clock
from hanro.errors import Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MailRelay
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.contacts import variables_of
from notifier_svc.domain.messages import Message
from notifier_svc.domain.templates import Template
from notifier_svc.domain.tests_of_senders import find_own_recipient
from notifier_svc.mailer.letter import Letter, compose, mail_id_of
from notifier_svc.sender.contacts import Contacts
from notifier_svc.templates.rendering import Renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Be a message with its mail; the message carries the Message-ID and the template's version from now on.

    `recipient` and `subject` are what a plan may show: the address without its local part, the unfilled text.
    """

    message: Message
    letter: Letter
    recipient: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Be what the messages of one account are written with; `templates` are the current versions, by name."""

    account: Account
    plugin: Plugin
    relay: MailRelay
    account_epoch: int
    credential_version: int
    templates: Mapping[str, Template]


TEST_SUBJECT = "送信テスト / test of the sender address"
TEST_BODY = """このメールは、送信元アドレスの確認のために店舗自身へ送られました。返信は不要です。

This mail was sent to the shop itself to prove its sender address. No answer is needed.
"""


class Writer:
    """Write mails; one a process."""

    def __init__(self, contacts: Contacts, renderer: Renderer, clock: Clock) -> None:
        self._contacts = contacts
        self._renderer = renderer
        self._clock = clock

    async def write(self, message: Message, post: Post) -> Written:
        """Ask for the contact, render, and write the mail.

        Raises:
            Retryable, Rejected, ContractBroken: of `Contacts.contact`, `Renderer.render` and `compose`; no address
                (contact-missing), no template (template-missing).
        """
        if message.account_epoch < post.account_epoch:
            raise Rejected("The account was unlinked since.", code="unlinked")
        if message.order_id is None:
            return self._write_test(message, post)
        template = post.templates.get(message.template)
        if template is None:
            raise Rejected("The template is gone.", code="template-missing")
        contact = await self._contacts.contact(message.order_id, account_epoch=message.account_epoch)
        if contact.email is None:
            raise Rejected("The marketplace gives no address for this order.", code="contact-missing")
        variables = variables_of(contact, shop_name=post.account.display_name, zone=post.plugin.zone)
        rendered = self._renderer.render(template.subject, template.body, variables)
        mail_id = message.mail_id or mail_id_of(message.id, post.relay.sender)
        letter = compose(
            post.relay,
            sender_name=post.account.display_name,
            recipient=contact.email,
            subject=rendered.subject,
            body=rendered.body,
            mail_id=mail_id,
            at=self._clock.now(),
        )
        return Written(
            message=replace(message, mail_id=mail_id, template_version=template.version),
            letter=letter,
            recipient=f"…@{contact.email.rpartition('@')[2]}",
            subject=template.subject,
        )

    def _write_test(self, message: Message, post: Post) -> Written:
        recipient = find_own_recipient(post.relay)
        mail_id = message.mail_id or mail_id_of(message.id, post.relay.sender)
        letter = compose(
            post.relay,
            sender_name=post.account.display_name,
            recipient=recipient,
            subject=TEST_SUBJECT,
            body=TEST_BODY,
            mail_id=mail_id,
            at=self._clock.now(),
        )
        return Written(
            message=replace(message, mail_id=mail_id),
            letter=letter,
            recipient=f"…@{recipient.rpartition('@')[2]}",
            subject=TEST_SUBJECT,
        )
