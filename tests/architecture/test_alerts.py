"""Holds alert rules and dashboards to the metrics that services show, and every alert to its runbook."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from hanro.service import open_parts
from hanro.testing.callers import fixed_keyring
from order_svc.app import SERVICE, build
from order_svc.settings import OrderSettings

ROOT = Path(__file__).parents[2]
OBSERVED = ROOT / "deploy/observability"
METRIC = re.compile(r"(hanro_[a-z_]+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"by \(([^)]*)\)")
OF_HISTOGRAMS = re.compile(r"_(bucket|count|sum)$")


def alerts() -> list[Mapping[str, Any]]:
    rules = yaml.safe_load((OBSERVED / "orders.alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    board = json.loads((OBSERVED / "orders.dashboard.json").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])


@pytest.fixture
async def shown() -> Mapping[str, frozenset[str]]:
    """Give the labels of each metric that order-svc shows, as its own wiring makes them, without a database."""
    settings = OrderSettings(
        database_url="postgresql://nobody@127.0.0.1:1/none",
        issuer="x",
        jwks_url="http://x.invalid/",
        keys_dir=Path("/x"),
    )
    parts = open_parts(SERVICE, settings, keyring=fixed_keyring())
    build(parts, settings)
    await parts.close()
    return labels_of(parts.registry)


def labels_of(registry: CollectorRegistry) -> Mapping[str, frozenset[str]]:
    made = {one for one in registry._collector_to_names if isinstance(one, MetricWrapperBase)}  # noqa: SLF001  no other list
    return {
        name: frozenset(one._labelnames)  # noqa: SLF001  no sample shows them before the first is set
        for one in made
        for name in registry._collector_to_names[one]  # noqa: SLF001
    }


@pytest.mark.row("X8", kind="walks")
def test_every_metric_and_label_that_is_looked_at_is_shown_by_the_service(
    shown: Mapping[str, frozenset[str]],
) -> None:
    named = 0
    for expression in expressions():
        labels: set[str] = set()
        for metric, matchers in METRIC.findall(expression):
            named += 1
            assert metric in shown, expression
            labels |= shown[metric] | ({"le"} if OF_HISTOGRAMS.search(metric) else set())
            for matcher in filter(None, matchers.split(",")):
                assert re.split(r"[=!~]", matcher)[0].strip() in shown[metric], expression
        for grouped in GROUPED.findall(expression):
            assert {one.strip() for one in grouped.split(",")} <= labels, expression
    assert named >= len(alerts()) + 12


@pytest.mark.row("X8", kind="walks")
def test_every_alert_says_what_is_wrong_how_urgent_it_is_and_where_the_remedy_stands() -> None:
    page = (ROOT / "docs/runbooks/orders.md").read_text()
    remedies = set(re.findall(r"^## (\S+)$", page, re.MULTILINE))
    assert {rule["alert"] for rule in alerts()} == remedies
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"docs/runbooks/orders.md#{rule['alert'].lower()}"
