"""Throws generated requests at every operation of each service: it answers what its OpenAPI document promises."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import account_svc.app
import catalog_svc.app
import notifier_svc.app
import order_svc.app
from hanro.db import migrate
from hanro.service import Service
from hanro.testing.edges import Edge, open_edge
from hanro_local.databases import SchemaUrls

SERVICES: dict[str, Service[Any]] = {
    one.schema: one
    for one in (account_svc.app.SERVICE, catalog_svc.app.SERVICE, notifier_svc.app.SERVICE, order_svc.app.SERVICE)
}
EXAMPLES = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# They stand for somebody else's refusal or an absence that is told, not for a bug.
TOLD = {501, 503}


def prepare(urls: SchemaUrls) -> None:
    service = SERVICES[urls.schema]
    migrate(urls.owner, schema=urls.schema, migrations=service.migrations, runtime_role=f"{urls.schema}_runtime")


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> Service[Any]:
    found: Service[Any] = SERVICES[request.param]
    return found


@pytest.fixture
def opened(make_database: Callable[..., SchemaUrls], service: Service[Any]) -> Iterator[tuple[Edge, asyncio.Runner]]:
    url = make_database(service.schema, prepare).runtime
    said = service.settings(database_url=url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        yield runner.run(stack.enter_async_context(open_edge(service, said))), runner
        runner.run(stack.aclose())


def test_every_operation_answers_as_its_document_says(opened: tuple[Edge, asyncio.Runner]) -> None:
    edge, runner = opened
    sent: list[int] = []
    schema = schemathesis.openapi.from_dict(dict(edge.document))
    headers = edge.signer.bearer(*edge.scopes())

    async def send(case: Any) -> httpx.Response:
        known = case.as_transport_kwargs(base_url="http://edge")
        given_headers = {name: text for name, text in dict(known["headers"]).items() if name.lower() != "authorization"}
        return await edge.client.request(
            known["method"],
            known["url"],
            params=known.get("params"),
            headers={**given_headers, **headers},
            **({"json": known["json"]} if "json" in known else {"content": known.get("data")}),
        )

    def check(case: Any) -> None:
        answer = runner.run(send(case))
        sent.append(answer.status_code)
        # An absence and an outage are told with a status that looks like a bug's.
        checks = CHECKS[1:] if answer.status_code in TOLD else CHECKS
        case.validate_response(answer, checks=checks)

    bounded = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for found in schema.get_all_operations():
        operation = cast("Any", found).ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            bounded(given(case=operation.as_strategy(generation_mode=mode))(check))()
    assert len(sent) >= len(edge.operations())
    assert 401 not in sent
