"""Each member of an order is mapped or stands in the README's list of those that are not, with its reason."""

import json
import re
from pathlib import Path
from typing import Any

from ichiba_mapped import SEEN_AT, every_model

from hanro.marketplace.types import SeenOrder
from hanro_rakuten_ichiba.decoding import Fragment
from hanro_rakuten_ichiba.mapping.order import map_order

README = Path(__file__).parents[1] / "README.md"


class Watched(dict[str, Any]):
    """An object that remembers, by its model's name, which of its members were there and which were read."""

    def __init__(self, model: str, members: dict[str, Any], there: set[str], read: set[str]) -> None:
        super().__init__({key: watch(key, member, there, read) for key, member in members.items()})
        self.model, self.read = model, read
        there.update(f"{model}.{key}" for key in members)

    def get(self, key: str, default: Any = None) -> Any:
        """Read a member."""
        self.read.add(f"{self.model}.{key}")
        return super().get(key, default)


def watch(model: str, node: Any, there: set[str], read: set[str]) -> Any:
    """Watch the objects inside a member."""
    if isinstance(node, dict):
        return Watched(model, node, there, read)
    return [watch(model, one, there, read) for one in node] if isinstance(node, list) else node


def test_every_member_is_mapped_or_named_as_left_out() -> None:
    there: set[str] = set()
    read: set[str] = set()
    as_text = json.loads(json.dumps(every_model()), parse_int=str, parse_float=str)
    tree = Watched("OrderModel", as_text, there, read)
    assert isinstance(map_order(Fragment(tree=tree, raw=b"{}"), SEEN_AT), SeenOrder)
    ledger = README.read_text(encoding="utf-8").partition("## Members of an order that are left out")[2]
    left_out = set(re.findall(r"`(\w+\.\w+)`", ledger))
    assert there - read == left_out
