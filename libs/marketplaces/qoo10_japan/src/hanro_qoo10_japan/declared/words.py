"""Holds the words and menu paths that several declarations share."""

from hanro.errors import LocalizedText, MenuPath

QSM_URL = "https://qsm.qoo10.jp/"

# Source: qoo10-japan 1.2 [2+], 7.
API_KEY = MenuPath(
    steps=("QSM", "Qoo10へのお問い合わせ", "システム", "API・FTP・QSM権限"),
    url=QSM_URL,
)
DELIVERY = MenuPath(steps=("QSM", "配送/キャンセル/未受取"), url=QSM_URL)
QSM = MenuPath(steps=("QSM",), url=QSM_URL)


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)
