"""Says what every service's edge refuses of changes: keys that are missing or used, versions that are another."""

# ruff: noqa: D102  its names are sentences

from dataclasses import replace

import pytest

from hanro.testing.documents import CANARY
from hanro.testing.edges import Content, Edge
from hanro.testing.problem_form import faults_of
from hanro.testing.refusal_table import KEY, Samples, Table, add, changing, keyed, show

OK, ACCEPTED = 200, 202


class ChangeRefusals:
    """Be the part of the suite that changes things; the module gives the fixtures `edge` and `samples`."""

    @pytest.fixture
    def table(self) -> Table:
        """Collect what is wrong."""
        return []

    @pytest.mark.row("X3", kind="refuses")
    async def test_a_key_is_needed_where_the_document_says_so(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in keyed(edge):
            if (operation.parameter(KEY) or {}).get("required"):
                answer = await edge.send(operation, operation.address(samples.known), body=samples.body(operation))
                add(table, operation, "no key", faults_of(answer, 400, "idempotency-key-missing"))
            for bad in ("", "x" * 256, "a\tb"):
                answer = await edge.send(
                    operation, operation.address(samples.known), body=samples.body(operation), headers={KEY: bad}
                )
                add(table, operation, f"key {bad[:5]!r}", faults_of(answer, 400, "idempotency-key-malformed"))
        show(table)

    @pytest.mark.row("X3", kind="walks")
    async def test_a_key_that_comes_again_is_replayed_and_with_another_request_422(
        self, edge: Edge, samples: Samples, table: Table
    ) -> None:
        for operation in keyed(edge):
            headers, address, body = {KEY: f"k-{operation}"}, operation.address(samples.known), samples.body(operation)
            first, again = [await edge.send(operation, address, body=body, headers=headers) for _ in range(2)]
            if (again.status_code, again.content) != (first.status_code, first.content):
                table.append(f"{operation} [replay] {first.status_code} {first.text[:200]}, then {again.text[:200]}")
            if again.headers.get("idempotency-replayed") != "true":
                table.append(f"{operation} [replay] {first.status_code} is not said to be one: {first.text[:200]}")
            # Where none is asked for, one that is sent is another request all the same.
            if isinstance(body, Content):
                other = await edge.send(operation, address, body=replace(body, content=body.other), headers=headers)
            else:
                sent = {"content": b'{"other": 1}'} if operation.body is None else {"json": operation.other_body(body)}
                other = await edge.client.request(
                    operation.method, address, headers=edge.signer.bearer(operation.scope) | headers, **sent
                )
            add(table, operation, "other body", faults_of(other, 422, "idempotency-key-reused"))
        show(table)

    @pytest.mark.row("X5", kind="walks")
    async def test_what_is_done_later_is_watched_where_the_answer_says(
        self, edge: Edge, samples: Samples, table: Table
    ) -> None:
        for operation in keyed(edge):
            send = changing(edge, operation, samples)
            answer = await send({KEY: f"l-{operation}"})
            if answer.status_code != ACCEPTED:
                continue
            watched = await edge.client.get(
                answer.headers["location"], headers=edge.signer.bearer(*sorted(edge.scopes()))
            )
            if watched.status_code != OK:
                table.append(f"{operation} [later] {answer.headers['location']}: {watched.status_code} {watched.text}")
        show(table)

    @pytest.mark.row("X3", kind="refuses")
    async def test_a_key_whose_twin_runs_is_409(self, edge: Edge, samples: Samples, table: Table) -> None:
        async with edge.parts.db.begin() as tx:
            # As a twin that has not committed does: nobody can claim a key.
            await tx.execute("lock table idempotency in share row exclusive mode")
            for operation in keyed(edge):
                answer = await edge.send(
                    operation,
                    operation.address(samples.known),
                    body=samples.body(operation),
                    headers={KEY: f"t-{operation}"},
                )
                faults = faults_of(answer, 409, "idempotency-key-running")
                if answer.headers.get("retry-after") is None:
                    faults.append("does not say when to come again")
                add(table, operation, "twin", faults)
        show(table)

    @pytest.mark.row("X4", kind="refuses")
    async def test_a_change_names_the_version_that_it_changes(self, edge: Edge, samples: Samples, table: Table) -> None:
        for operation in edge.operations():
            if operation.parameter("If-Match") is None:
                continue
            send = changing(edge, operation, samples)
            add(table, operation, "no If-Match", faults_of(await send({}), 428, "precondition-required"))
            for tag in ('"v999"', f'"{CANARY}"', 'W/"v1"', "v1"):
                answer = await send({"If-Match": tag})
                add(table, operation, tag, faults_of(answer, 412, "precondition-failed"))
        show(table)
