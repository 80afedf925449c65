"""Decides how an account is let go and taken up again. Values in, values out."""

from dataclasses import replace

from account_svc.domain.accounts import NO_CREDENTIALS, Account, Reason, State
from account_svc.domain.happenings import LinkedAgain, Unlinked, Unlinking
from hanro.errors import LocalizedText, Rejected

CREDENTIALS_MISSING = Reason(
    code=NO_CREDENTIALS,
    why="No credentials are stored.",
    remedy=LocalizedText(ja="認証情報を入力してください。", en="Enter the credentials."),
)
LETTING_GO = Reason(
    code="unlinking",
    why="The account is being unlinked.",
    remedy=LocalizedText(
        ja="連携解除が終わるまでお待ちください。進み具合は操作（operation）に表示されます。",
        en="Wait until the unlink is done; its operation shows how far it is.",
    ),
)
GONE = Reason(
    code="unlinked",
    why="The account was unlinked.",
    remedy=LocalizedText(
        ja="同じ店舗を再び連携するには、このアカウントの :relink を実行してから認証情報を入力してください。",
        en="To link the shop again, call :relink of this account, then enter its credentials.",
    ),
)


def let_go(account: Account, happening: Unlinking | Unlinked | LinkedAgain) -> Account:
    """Take an account one step further; a step that it has behind it changes nothing.

    The epoch grows when it is let go: what began before is told by its epoch, wherever it still is.

    Raises:
        Rejected: it is let go already; code "unlinking" or "unlinked".
    """
    match happening:
        case Unlinking():
            require_linked(account)
            return replace(account, state=State.UNLINKING, epoch=account.epoch + 1, reason=LETTING_GO)
        case Unlinked():
            if account.state is not State.UNLINKING:
                return account
            return replace(account, state=State.UNLINKED, reason=GONE, grants=(), lost_capabilities=())
        case LinkedAgain():
            if account.state is not State.UNLINKED:
                return account
            reason = replace(CREDENTIALS_MISSING, menu=happening.key_menu)
            return replace(account, state=State.DRAFT, is_enabled=True, reason=reason)


def require_linked(account: Account) -> None:
    """Refuse what is asked of an account that is being unlinked, or is.

    Raises:
        Rejected: code "unlinking" or "unlinked"; the remedy says what is possible now.
    """
    if account.is_let_go:
        reason = LETTING_GO if account.state is State.UNLINKING else GONE
        raise Rejected(reason.why, code=reason.code, remedy=reason.remedy)
