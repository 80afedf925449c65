"""Holds what a shop contracted and switched on: options, terms, functions in use and saved."""

from dataclasses import dataclass, field
from typing import Literal

from hanro_rakuten_ichiba.simulator.operations import Operation

Option = Literal["csv_item_edit", "web_api_terms", "order_download", "event_notification"]
Contract = Literal["not_contracted", "applied", "contracted"]
NAMES: dict[Option, str] = {
    "csv_item_edit": "CSV商品一括編集",
    "web_api_terms": "WEB APIサービス利用規約",
    "order_download": "受注データのダウンロード",
    "event_notification": "システムイベント通知サービス",
}


@dataclass
class Contracts:
    """Hold the state of each option; a new shop has what it needs to be called, and receives no events yet."""

    states: dict[Option, Contract] = field(
        default_factory=lambda: {
            "csv_item_edit": "contracted",
            "web_api_terms": "contracted",
            "order_download": "contracted",
            "event_notification": "not_contracted",
        }
    )

    def find_lacking(self, operation: Operation, *, is_csv_needed: bool) -> Option | None:
        """Name the contract that a function lacks; None: it may be called.

        The terms stand before all functions (seed 002 lines 14 to 18); items need the bulk editing option
        (rakuten-ichiba-catalog 10 [?]), R-Cabinet and the shop's categories do not.
        """
        if self.states["web_api_terms"] != "contracted":
            return "web_api_terms"
        is_item = operation.family in ("items", "inventories")
        return "csv_item_edit" if is_csv_needed and is_item and self.states["csv_item_edit"] != "contracted" else None

    def to_json(self) -> dict[str, object]:
        """Give each option with its name and state."""
        return {option: {"name": NAMES[option], "state": state} for option, state in self.states.items()}


def list_functions(
    grants: tuple[str, ...], disabled: set[str], unsaved: dict[str, bool], *, is_editing: bool
) -> list[dict[str, object]]:
    """Show the list of functions: those in use alone, until 利用機能編集 is pressed; then all, with what is not saved.

    Source: seed 002 lines 22 to 26.
    """
    shown = grants if is_editing else tuple(grant for grant in grants if grant not in disabled)
    return [
        {
            "grant": grant,
            "usage": "未利用" if grant in disabled else "利用中",
            "chosen": ("利用する" if unsaved.get(grant, grant not in disabled) else "利用しない")
            if is_editing
            else None,
            "is_saved": grant not in unsaved,
        }
        for grant in shown
    ]
