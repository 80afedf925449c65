"""Gives the relay through which mail reaches masked addresses (楽天あんしんメルアドサービス)."""

from hanro.errors import LocalizedText, NeedsSeller
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import MailRelay
from hanro_rakuten_ichiba.declared.credential_form import MASKED_ADDRESS, SENDER_ADDRESS, SMTP_ID, SMTP_PASSWORD
from hanro_rakuten_ichiba.declared.grants import MAIL_RELAY_GRANT
from hanro_rakuten_ichiba.declared.keys import MAIL_BODY, MAIL_SUBJECT
from hanro_rakuten_ichiba.declared.words import MAIL_SERVER

HOST = "sub.fw.rakuten.ne.jp"
PORT = 587
MASKED_DOMAIN = ".fw.rakuten.ne.jp"
RECIPIENTS = r"[^@\s]+@[A-Za-z0-9-]+\.fw\.rakuten\.ne\.jp"


def relay_of(secrets: Secrets) -> MailRelay:
    """Give the relay with the shop's login; mail is plain text, its size limit is not public.

    Raises:
        NeedsSeller: login or sender address are empty (option-missing), named by `field`.

    Source: rakuten-ichiba-orders 12 [2+].
    """
    for field in (SMTP_ID, SMTP_PASSWORD, SENDER_ADDRESS):
        if not secrets.values.get(field):
            raise NeedsSeller(
                "the login of the mail relay is not complete",
                code="option-missing",
                field=field,
                grant_id=MAIL_RELAY_GRANT,
                remedy=LocalizedText(
                    ja="メールを送るには SMTP ID、SMTP パスワード、送信元メールアドレスを入力してください。",
                    en="enter SMTP id, SMTP password and sender address to send mail",
                ),
                menu=MAIL_SERVER,
            )
    return MailRelay(
        host=HOST,
        port=PORT,
        username=secrets.values[SMTP_ID],
        password=secrets.values[SMTP_PASSWORD],
        sender=secrets.values[SENDER_ADDRESS],
        recipients=RECIPIENTS,
        subject=MAIL_SUBJECT,
        body=MAIL_BODY,
        max_bytes=None,
        own_recipient=secrets.values.get(MASKED_ADDRESS) or None,
    )
