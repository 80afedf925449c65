"""Decides whether an account's sender can be tested, and to which address: the shop's own, and no other."""

import re

from hanro.errors import LocalizedText, NeedsSeller, Rejected
from hanro.marketplace.permits import Work, lost_grant, switched_off
from hanro.marketplace.types import Grant, MailRelay
from notifier_svc.domain.accounts import Account


def check_account(account: Account, grant: Grant | None) -> None:
    """Let a sender be tested only while mail may leave for its account; `grant` is the relay's login.

    Raises:
        NeedsSeller: account-inactive, messages-off, observing; grant-missing with menu and remedy.
    """
    if not account.is_working:
        raise NeedsSeller(
            "The account does not work, so no mail can be sent for it.",
            code="account-inactive",
            remedy=LocalizedText(
                ja="アカウントの画面で理由と次の手順を確認してください。",
                en="Look at the account: it says why, and the next step.",
            ),
        )
    if not account.switches.messages:
        raise switched_off(Work.MESSAGES)
    if account.switches.is_observing:
        raise NeedsSeller(
            "The account only observes: no mail leaves.",
            code="observing",
            remedy=LocalizedText(
                ja="アカウントの「観察のみ」を切ってからテストしてください。",
                en="Switch the account's observing off, then test.",
            ),
        )
    if grant is not None and grant.id in account.lost_grants:
        raise lost_grant(grant, "no mail can be sent")


def find_own_recipient(relay: MailRelay, to: str | None = None) -> str:
    """Give the shop's own address at the relay; `to` is the one that was asked for, None: that.

    Raises:
        NeedsSeller: it was never entered (option-missing), or the sender is itself an address that only the relay
            reaches (sender-masked).
        Rejected: `to` is another one; code "recipient-not-own".
    """
    if re.fullmatch(relay.recipients, relay.sender):
        raise NeedsSeller(
            "The sender address is a masked one: the relay sends from registered addresses alone.",
            code="sender-masked",
            remedy=LocalizedText(
                ja="マスクされていない、登録済みの送信元アドレスを入力してください。",
                en="Enter a sender address that is registered there and not masked.",
            ),
        )
    own = relay.own_recipient
    if own is None:
        raise NeedsSeller(
            "The shop's own masked address is not known, and a test goes to no other.",
            code="option-missing",
            remedy=LocalizedText(
                ja="認証情報に店舗自身のマスクアドレスを入力してください。",
                en="Enter the shop's own masked address among the credentials.",
            ),
        )
    if to is not None and to.casefold() != own.casefold():
        raise Rejected("A test goes to the shop's own masked address alone.", code="recipient-not-own", field="to")
    return own
