"""Serves a service's OpenAPI document and a page that shows it; both are open, they hold nothing of anybody."""

import asyncio
from collections.abc import Callable
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0 auto;max-width:60rem;padding:1.5rem}
h2{margin:2rem 0 .5rem;text-transform:capitalize}details{border:1px solid #8886;border-radius:.4rem;margin:.4rem 0}
summary{cursor:pointer;padding:.5rem .8rem}code{font-family:ui-monospace,monospace}.method{font-weight:700}
section{padding:0 .8rem .8rem}table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left}
"""


def contract_routes(noun: str, document: Callable[[], dict[str, Any]]) -> list[Route]:
    """Make `/v1/<noun>/openapi.json` and `/v1/<noun>/docs`; `document` may take its time, requests go on meanwhile."""

    async def openapi(_request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(document), headers={"Access-Control-Allow-Origin": "*"})

    async def docs(_request: Request) -> Response:
        return HTMLResponse(page(await asyncio.to_thread(document)), headers={"Content-Security-Policy": _POLICY})

    return [Route(f"/v1/{noun}/openapi.json", openapi), Route(f"/v1/{noun}/docs", docs)]


def page(document: dict[str, Any]) -> str:
    """Write the page: every operation with its scope, parameters and answers; no script, nothing from elsewhere."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(path, method, operation))
    title = escape(document["info"]["title"])
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items())
    about = escape(document["info"].get("description", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'<h1>{title}</h1><p>{about}</p><p>Machine-readable: <a href="openapi.json">openapi.json</a></p>{body}</html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    scopes = ", ".join(scope for entry in operation.get("security", []) for found in entry.values() for scope in found)
    parameters = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{'required' if one.get('required') else ''}</td><td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", [])
    )
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer.get('description', ''))}</td></tr>"
        for status, answer in operation["responses"].items()
        if "$ref" not in answer
    )
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary><section><p>{escape(operation.get('description', ''))}</p>"
        f"<p>Scope: <code>{escape(scopes)}</code></p><table>{parameters}</table><table>{answers}</table>"
        "</section></details>"
    )
