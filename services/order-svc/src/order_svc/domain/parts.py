"""Makes what writes a part of a value as JSON, by pydantic's own serialisers."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer

Node = Mapping[str, Any]


def part_writer(adapter: TypeAdapter[Any], part: Any) -> Callable[[Any], bytes]:
    """Give what writes `part` of values, which is as pydantic's `include` and gives the same bytes.

    A filter that is given with each value is looked up at each of its members, for a quarter of the time of writing;
    here what is left out stands in the serialiser.

    Raises:
        TypeError: the part goes into what is neither a dataclass, a tuple nor a mapping.
        ValueError: it names a member that a dataclass has not.
    """
    whole: Node = adapter.core_schema
    known = {one["ref"]: one for one in whole.get("definitions", ())}
    serializer = SchemaSerializer(_narrowed(whole, part, known))
    return serializer.to_json


def _narrowed(node: Node, part: Any, known: Mapping[str, Node]) -> Node:
    if part is True:
        return node
    if node["type"] == "definition-ref":
        node = known[node["schema_ref"]]
    # What has a reference is shared with places where another part of it is written.
    own = {name: member for name, member in node.items() if name != "ref"}
    match node["type"]:
        case "definitions" | "nullable" | "default":
            return {**own, "schema": _narrowed(node["schema"], part, known)}
        case "dataclass":
            # What is not named here is not even asked for.
            names = [name for name in node["fields"] if name in part]
            return {**own, "fields": names, "schema": _narrowed(node["schema"], part, known)}
        case "dataclass-args":
            wanted = part if isinstance(part, Mapping) else dict.fromkeys(part, True)
            fields = {field["name"]: field for field in node["fields"]}
            if unknown := wanted.keys() - fields.keys():
                raise ValueError(f"there is no member {', '.join(sorted(unknown))}")
            return {
                **own,
                "fields": [
                    {**field, "schema": _narrowed(field["schema"], wanted[name], known)}
                    for name, field in fields.items()
                    if name in wanted
                ],
            }
        case "tuple":
            return {**own, "items_schema": [_narrowed(one, part["__all__"], known) for one in node["items_schema"]]}
        case "dict":
            return {**own, "serialization": {"type": "include-exclude-dict", "include": set(part)}}
        case kind:
            raise TypeError(f"of a {kind} no part can be written")
