"""Which paths the gateway passes on, and which it never shows."""

import json
import os
from pathlib import Path

import pytest

from hanro_local.gateway_routes import RoutesFile, RoutesFileReader
from hanro_local.services import SERVICES, Service

SERVICES_FOLDER = Path(__file__).parents[3] / "services"

ROUTES = RoutesFile.model_validate(
    {
        "routes": [
            {"prefix": "/v1/orders", "target": "http://127.0.0.1:1/"},
            {"prefix": "/v1/orders/imports/", "target": "http://127.0.0.1:2"},
            {"prefix": "/v1/order", "target": "http://127.0.0.1:3"},
        ],
        "issuer": "http://127.0.0.1:4",
    }
)
OPEN_WIDE = RoutesFile.model_validate(
    {
        "routes": [
            {"prefix": prefix, "target": "http://127.0.0.1:1"}
            for prefix in ("/", "/internal", "/Internal", "/metrics", "/livez", "/readyz")
        ]
    }
)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/v1/orders", "http://127.0.0.1:1"),
        (b"/v1/orders/", "http://127.0.0.1:1"),
        (b"/v1/orders/123:accept", "http://127.0.0.1:1"),
        (b"/v1/orders/a%2Fb", "http://127.0.0.1:1"),
        (b"/v1/orders/%E6%B3%A8%E6%96%87", "http://127.0.0.1:1"),
        (b"/v1/%6Frders/1", "http://127.0.0.1:1"),
        (b"/v1/orders/100%25", "http://127.0.0.1:1"),
        (b"/v1/orders/..a", "http://127.0.0.1:1"),
        (b"/v1/orders/internal", "http://127.0.0.1:1"),
        (b"/v1/orders/imports", "http://127.0.0.1:2"),
        (b"/v1/orders/imports/7", "http://127.0.0.1:2"),
        (b"/v1/orders/importsX", "http://127.0.0.1:1"),
        (b"/v1/order/docs", "http://127.0.0.1:3"),
        (b"/token", "http://127.0.0.1:4"),
        (b"/jwks", "http://127.0.0.1:4"),
        (b"/.well-known/openid-configuration", "http://127.0.0.1:4"),
        (b"/v1/ordersX", None),
        (b"/V1/orders", None),
        (b"/v1", None),
        (b"/v1%2Forders", None),
        (b"/token2", None),
        (b"v1/orders", None),
        (b"*", None),
        (b"", None),
        (b"http://127.0.0.1/v1/orders", None),
    ],
)
def test_the_longest_prefix_of_whole_segments_decides(path: bytes, target: str | None) -> None:
    assert ROUTES.target_of(path) == target


@pytest.mark.parametrize(
    "path",
    [
        b"/internal",
        b"/internal/v1/credentials",
        b"/livez",
        b"/readyz",
        b"/metrics",
        b"/metrics/x",
        b"/internal/",
        b"//internal",
        b"///internal",
        b"/INTERNAL",
        b"/Internal/v1",
        b"/METRICS",
        b"/%69nternal",
        b"/%49NTERNAL",
        b"/%2569nternal",
        b"/%252569nternal",
        b"/%25252525252525252569nternal",
        b"/%2Finternal",
        b"/%5Cinternal",
        b"/\\internal",
        b"/internal%2Fv1",
        b"/internal;x=1",
        b"/internal%3Bx",
        b"/v1/../internal",
        b"/v1/%2e%2e/internal",
        b"/v1/..%2Finternal",
        b"/v1%2F..%2Finternal",
        b"/v1/..;/internal",
        b"/v1/..%5cinternal",
        b"/v1/%252e%252e/internal",
        b"/./internal",
        b"/.%2Finternal",
        b"/v1/orders/../../internal",
        b"/v1//orders",
        b"/v1/orders/..",
        b"/v1/orders/%00",
        b"/v1/orders/%0d%0aX",
    ],
)
def test_what_is_internal_or_ambiguous_has_no_target_whatever_is_routed(path: bytes) -> None:
    assert OPEN_WIDE.target_of(b"/v1/orders") == "http://127.0.0.1:1"
    assert OPEN_WIDE.target_of(path) is None
    assert ROUTES.target_of(path) is None


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/internal", "ftp://x", "http://u@h", "x", "http://h?x"])
def test_a_target_is_a_host_and_a_port(target: str) -> None:
    with pytest.raises(ValueError, match="must be http"):
        RoutesFile.model_validate({"issuer": target})


def test_a_token_is_not_in_the_repr_of_the_routes() -> None:
    assert "canary" not in repr(RoutesFile.model_validate({"token": "canary"}))


def test_a_routes_file_that_comes_later_changes_and_breaks_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    reader = RoutesFileReader.open(file)
    assert reader.refresh().target_of(b"/v1/orders") is None
    for port in (1, 2):
        file.write_text(json.dumps({"routes": [{"prefix": "/v1", "target": f"http://127.0.0.1:{port}"}]}))
        os.utime(file, ns=(port, port))
        assert reader.refresh().target_of(b"/v1/orders") == f"http://127.0.0.1:{port}"
    file.write_text('{"token": ["canary-token"')
    assert reader.refresh().target_of(b"/v1/orders") == "http://127.0.0.1:2"
    assert "former routes stand" in (reader.complaint or "")
    assert "canary" not in (reader.complaint or "")
    file.write_text('{"routes": []}')
    assert reader.refresh().target_of(b"/v1/orders") is None
    assert reader.complaint is None


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_path_that_a_service_documents_is_passed_on_to_it(service: Service) -> None:
    target = "http://127.0.0.1:1"
    routes = RoutesFile.model_validate(
        {"routes": [{"prefix": prefix, "target": target} for prefix in service.prefixes]}
    )
    documented = json.loads((SERVICES_FOLDER / service.name / "openapi.json").read_text(encoding="utf-8"))["paths"]
    # Placeholders need no value: whole segments decide.
    asked = [path.replace("{", "").replace("}", "") for path in documented]
    assert [path for path in asked if routes.target_of(path.encode()) != target] == []
