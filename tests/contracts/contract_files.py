"""Writes the contracts that others rely on: JSON Schemas of facts, AsyncAPI of topics, OpenAPI of services.

`make contracts` runs it: files are rewritten, and a change that could break a reader is refused with what it is.
"""

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hanro.events.fact import Fact, registered
from hanro.service import main as main_of_service

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "libs/common/schemas"
ASYNCAPI = ROOT / "docs/asyncapi.json"
SERVICES = {
    "account-svc": "account_svc",
    "catalog-svc": "catalog_svc",
    "notifier-svc": "notifier_svc",
    "order-svc": "order_svc",
}

Schema = Mapping[str, Any]


def wanted() -> dict[Path, str]:
    """Give every contract as the code states it, by file."""
    files = {SCHEMAS / f"{fact.type}.json": _write(_schema(fact)) for fact in registered()}
    files[ASYNCAPI] = _write(asyncapi())
    return files | {ROOT / "services" / name / "openapi.json": openapi(module) for name, module in SERVICES.items()}


def openapi(module: str) -> str:
    """Give a service's OpenAPI document, as its own command writes it."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        main_of_service(importlib.import_module(f"{module}.app").SERVICE, ["openapi"])
    return text.getvalue()


def asyncapi() -> dict[str, Any]:
    """Give one AsyncAPI 3 document over all topics."""
    facts = registered()
    topics = sorted({fact.topic for fact in facts})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hanro facts",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary mode: attributes in ce_ headers, the value is the data.",
        },
        "defaultContentType": "application/json",
        "channels": {
            topic: {
                "address": topic,
                "messages": {
                    fact.type: {"$ref": f"#/components/messages/{fact.type}"} for fact in facts if fact.topic == topic
                },
            }
            for topic in topics
        },
        "operations": {
            f"receive.{topic}": {"action": "receive", "channel": {"$ref": f"#/channels/{topic}"}} for topic in topics
        },
        "components": {
            "messages": {
                fact.type: {
                    "name": fact.type,
                    "title": fact.__name__,
                    "summary": (fact.__doc__ or "").strip().splitlines()[0],
                    "contentType": "application/json",
                    "payload": _schema(fact),
                }
                for fact in facts
            }
        },
    }


def breaking(old: Schema, new: Schema, where: str = "") -> list[str]:
    """List what a reader of the old schema could stumble over in the new one; additions are fine."""
    faults: list[str] = []
    before, after = old.get("properties", {}), new.get("properties", {})
    faults += [f"{where}/{name} is gone" for name in before if name not in after]
    faults += [
        f"{where}/{name} became required"
        for name in set(new.get("required", ())) - set(old.get("required", ()))
        if name in before
    ]
    faults += [
        f"{where}/{name} may be missing now" for name in set(old.get("required", ())) - set(new.get("required", ()))
    ]
    for name in before.keys() & after.keys():
        faults += breaking(before[name], after[name], f"{where}/{name}")
    for keyword in ("type", "const", "format"):
        if old.get(keyword) != new.get(keyword):
            faults.append(f"{where}: {keyword} was {old.get(keyword)!r} and is {new.get(keyword)!r}")
    # A reader that knows the values by heart must not meet a new one under the same type.
    if set(new.get("enum", ())) - set(old.get("enum", ())) and "enum" in old:
        faults.append(f"{where}: new values {sorted(set(new['enum']) - set(old['enum']))}")
    for name, definition in old.get("$defs", {}).items():
        if name in new.get("$defs", {}):
            faults += breaking(definition, new["$defs"][name], f"{where}/$defs/{name}")
    return faults


def main() -> int:
    """Rewrite the files; exit 1 and change nothing where a fact's schema would break its readers."""
    files = wanted()
    faults = [
        f"{file.name}{fault}"
        for file, text in files.items()
        if file.parent == SCHEMAS and file.exists()
        for fault in breaking(json.loads(file.read_text()), json.loads(text))
    ]
    if faults:
        sys.stderr.write("a fact's version must stay readable; make a new class with the next version instead:\n")
        sys.stderr.writelines(f"  {fault}\n" for fault in faults)
        return 1
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    sys.stdout.write(f"wrote {len(files)} contracts\n")
    return 0


def _schema(fact: type[Fact]) -> dict[str, Any]:
    schema = fact.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:hanro:schema:{fact.type}", **schema}


def _write(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
