"""Says what every service's edge refuses, over all operations of its own OpenAPI document; a test module inherits it.

A new route is covered by itself. What was wrong is collected, so that a failure is a table: operation, case, answer.
"""

# ruff: noqa: S101, PLR2004, D102  a suite of tests: it asserts, its values stand in the test, its names are sentences

import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from hanro.testing.documents import CANARY, VERBS, Operation, misfits
from hanro.testing.edges import Edge, Signer
from hanro.testing.problem_form import faults_of
from hanro.testing.refusal_changes import ChangeRefusals
from hanro.testing.refusal_table import (
    EXEMPT,
    KEY,
    KEYED,
    PAGED,
    VERSIONED,
    Samples,
    Table,
    add,
    endless,
    key,
    query,
    show,
)

ANNOUNCED = 1024**3
CURSORS = ("x", "eyJhIjoxfQ", "A" * 43, "*", "A" * 1024)


class EdgeRefusals(ChangeRefusals):
    """Be the suite; the module gives the fixtures `edge` and `samples`."""

    def test_every_route_stands_in_the_document(self, edge: Edge) -> None:
        told = {(operation.method, operation.path) for operation in edge.operations()}
        assert len(told) > len(EXEMPT)
        assert edge.routes == told

    def test_every_route_asks_for_a_token_but_those_that_are_named(self, edge: Edge, samples: Samples) -> None:
        assert {f"{method.upper()} {path}" for method, path in edge.open_routes} == set(samples.open_to)

    def test_every_operation_is_in_each_case_or_exempt_for_a_reason(self, edge: Edge, samples: Samples) -> None:
        noun = edge.noun
        missing: dict[str, set[str]] = {KEYED: set(), PAGED: set(), VERSIONED: set()}
        for operation in edge.operations():
            if operation.method == "post" and operation.parameter(KEY) is None:
                missing[KEYED].add(str(operation))
            if operation.method in {"put", "patch"} and operation.parameter("If-Match") is None:
                missing[VERSIONED].add(str(operation))
            if operation.is_list and operation.parameter("cursor") is None:
                missing[PAGED].add(str(operation))
        for case, found in missing.items():
            shared = {one.replace("{noun}", noun) for one in EXEMPT.get(case, {})}
            assert found == shared | set(samples.exempt.get(case, {})), case

    async def test_a_caller_who_is_not_believed_is_401(self, edge: Edge, table: Table) -> None:
        scopes = edge.scopes()
        strangers: dict[str, Mapping[str, str]] = {
            "no token": {},
            "no bearer": {"Authorization": f"Basic {CANARY}"},
            "no JWT": {"Authorization": f"Bearer {CANARY}"},
            "another issuer's": edge.signer.bearer(*scopes, iss="https://other.invalid"),
            "another's key": Signer().bearer(*scopes),
            "for another audience": edge.signer.bearer(*scopes, aud="other"),
            "expired": edge.signer.bearer(*scopes, exp=1_700_000_000),
        }
        for operation in edge.operations():
            for case, headers in strangers.items():
                answer = await edge.client.request(operation.method, operation.address(), headers=headers)
                add(table, operation, case, faults_of(answer, 401, "unauthenticated"))
                if "bearer" not in answer.headers.get("www-authenticate", "").lower():
                    table.append(f"{operation} [{case}] has no challenge")
        show(table)

    async def test_a_missing_scope_is_named(self, edge: Edge, table: Table) -> None:
        scopes = edge.scopes()
        for operation, scope in [(one, scope) for one in edge.operations() for scope in one.scopes]:
            headers = edge.signer.bearer(*(scopes - {scope}))
            answer = await edge.client.request(operation.method, operation.address(), headers=headers)
            faults = faults_of(answer, 403, "scope-missing")
            if scope not in answer.text or scope not in answer.headers.get("www-authenticate", ""):
                faults.append("does not name the scope")
            add(table, operation, scope, faults)
        show(table)

    async def test_a_body_that_is_too_large_is_413(self, edge: Edge, table: Table) -> None:
        for operation in edge.operations():
            headers = edge.signer.bearer(operation.scope) | {"Content-Type": "application/json"}
            for case, announced in (("announced", {"Content-Length": str(ANNOUNCED)}), ("streamed", {})):
                answer = await edge.client.request(
                    operation.method, operation.address(), headers=headers | announced, content=endless()
                )
                add(table, operation, case, faults_of(answer, 413, "body-too-large"))
        show(table)

    async def test_another_media_type_is_415(self, edge: Edge, table: Table) -> None:
        for operation in edge.operations():
            if operation.body is None:
                continue
            headers = edge.signer.bearer(operation.scope) | {"Content-Type": "text/plain"}
            answer = await edge.client.request(operation.method, operation.address(), headers=headers, content=b"{}")
            add(table, operation, "text/plain", faults_of(answer, 415, "media-type-unsupported"))
        show(table)

    async def test_a_body_with_one_wrong_field_is_422_and_points_at_it(self, edge: Edge, table: Table) -> None:
        for operation in edge.operations():
            for pointer, body in operation.spoiled_bodies():
                answer = await edge.send(operation, operation.address(), body=body, headers=key(operation))
                faults = faults_of(answer, 422)
                found = [one.get("pointer", "") for one in answer.json().get("errors", ())] if not faults else []
                if not faults and not any(one == pointer or one.startswith(f"{pointer}/") for one in found):
                    faults.append(f"points at {found}")
                add(table, operation, f"{pointer or 'body'} = {json.dumps(body)[:80]}", faults)
        show(table)

    async def test_a_body_that_is_no_json_is_422(self, edge: Edge, table: Table) -> None:
        for operation in edge.operations():
            if operation.body is None:
                continue
            headers = edge.signer.bearer(operation.scope) | {"Content-Type": "application/json"} | key(operation)
            nothing = (b"",) if operation.is_body_needed else ()
            for content in (*nothing, b'{"a": ' + CANARY.encode(), b"\xff\xfe", b"[" * 50_000, b'"\\ud800"', b"NaN"):
                answer = await edge.client.request(
                    operation.method, operation.address(), headers=headers, content=content
                )
                add(table, operation, repr(content[:20]), faults_of(answer, 422))
        show(table)

    async def test_the_example_of_a_body_is_well_formed(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in edge.operations():
            if operation.body is None:
                continue
            answer = await edge.send(
                operation, operation.address(samples.known), body=operation.example, headers=key(operation)
            )
            if answer.status_code in {400, 422, 500}:
                table.append(f"{operation} {answer.status_code} {answer.text[:300]}")
        show(table)

    async def test_a_wrong_parameter_is_422_and_named(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in edge.operations():
            for one in operation.parameters:
                for value in misfits(one["schema"], operation.definitions) if one["in"] != "header" else ():
                    # A path ends at a slash, and has no room for nothing; the head of a request is bounded.
                    is_told = isinstance(value, str | int) and 0 < len(str(value)) <= 2000 and "/" not in str(value)
                    if not is_told:
                        continue
                    in_path = one["in"] == "path"
                    known = {**samples.known, one["name"]: quote(str(value))} if in_path else samples.known
                    answer = await edge.client.request(
                        operation.method,
                        operation.address(known),
                        params=query(operation.address())
                        if in_path
                        else {**query(operation.address()), one["name"]: str(value)},
                        headers=edge.signer.bearer(operation.scope) | key(operation),
                        json=None if operation.body is None else samples.body(operation),
                    )
                    faults = faults_of(answer, 422, "request-malformed")
                    if not faults and one["name"] not in {fault.get("parameter") for fault in answer.json()["errors"]}:
                        faults.append(f"does not name it: {answer.text[:200]}")
                    add(table, operation, f"{one['name']}={str(value)[:40]}", faults)
        show(table)

    async def test_a_parameter_that_is_misspelt_is_422_and_named(
        self, edge: Edge, samples: Samples, table: Table
    ) -> None:
        for operation in edge.operations():
            answer = await edge.client.request(
                operation.method,
                operation.address(samples.known),
                params={**query(operation.address()), "misspelt": CANARY},
                headers=edge.signer.bearer(operation.scope) | key(operation),
                json=None if operation.body is None else samples.body(operation),
            )
            faults = faults_of(answer, 422, "request-malformed")
            if not faults and answer.json()["errors"][0].get("parameter") != "misspelt":
                faults.append(f"does not name it: {answer.text[:200]}")
            add(table, operation, "misspelt", faults)
        show(table)

    @pytest.mark.row("X4", kind="refuses")
    async def test_a_cursor_that_was_not_given_is_400(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in edge.operations():
            if operation.parameter("cursor") is None:
                continue
            for cursor in CURSORS:
                answer = await edge.client.get(
                    operation.address(samples.known),
                    params={**query(operation.address()), "cursor": cursor},
                    headers=edge.signer.bearer(operation.scope),
                )
                add(table, operation, cursor[:20], faults_of(answer, 400, "cursor-invalid"))
        show(table)

    async def test_what_is_not_there_is_404(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in edge.operations():
            has_id = any(one["in"] == "path" for one in operation.parameters)
            if not has_id or str(operation) in samples.makers:
                continue
            answer = await edge.send(
                operation, operation.address(), body=operation.fitting_body(), headers=key(operation)
            )
            faults = faults_of(answer, 404, "not-found")
            add(table, operation, "unknown id", faults)
        show(table)

    async def test_a_method_that_a_path_lacks_is_405_and_an_unknown_path_404(self, edge: Edge, table: Table) -> None:
        headers = edge.signer.bearer(*edge.scopes())
        by_path: dict[str, list[Operation]] = {}
        for operation in edge.operations():
            by_path.setdefault(operation.path, []).append(operation)
        for found in by_path.values():
            # A verb behind an id reads as an id where the method is another.
            sibling = by_path.get(found[0].path.rpartition(":")[0], [])
            there = {one.method for one in (*found, *sibling)}
            for method in {*VERBS, "options"} - there:
                answer = await edge.client.request(method, found[0].address(), headers=headers)
                add(table, found[0], method, faults_of(answer, 405, "method-not-allowed"))
            answer = await edge.client.get(f"{found[0].address().partition('?')[0]}/x/x/x/{CANARY}", headers=headers)
            add(table, found[0], "below", faults_of(answer, 404, "not-found"))
        for path in ("/internal/v1/x", "/metrics", "/readyz", "/livez", "/docs", "/openapi.json", "/"):
            add(table, found[0], path, faults_of(await edge.client.get(path, headers=headers), 404, "not-found"))
        show(table)

    async def test_no_secret_comes_back_and_none_is_logged(
        self, edge: Edge, samples: Samples, caplog: pytest.LogCaptureFixture
    ) -> None:
        found = []
        for operation in edge.operations():
            headers = {"Cookie": f"session={CANARY}", "X-Api-Key": CANARY, "User-Agent": CANARY}
            address = operation.address(samples.known)
            answer = await edge.client.request(
                operation.method,
                address,
                params={**query(address), "token": CANARY, "cursor": CANARY},
                headers=edge.signer.bearer(operation.scope, sub=CANARY) | headers | key(operation),
                json={"password": CANARY, "values": {"license_key": [CANARY]}},
            )
            if answer.status_code >= 400 and (CANARY in answer.text or CANARY in str(answer.headers)):
                found.append(f"{operation} {answer.status_code} {answer.text[:200]}")
            if answer.status_code in {500, 502}:
                found.append(f"{operation} {answer.status_code}")
        show(found)
        assert CANARY not in caplog.text
