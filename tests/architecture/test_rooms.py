"""Rooms that import contracts cannot express: domains hold values only, and hanro holds nothing that nobody uses."""

import ast
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("account_svc", "catalog_svc", "notifier_svc", "order_svc")
PLUGINS = ("hanro_qoo10_japan", "hanro_rakuten_france", "hanro_rakuten_ichiba", "hanro_sandbox")
# What a domain may know of hanro: values.
VALUES = (
    "hanro.errors",
    "hanro.money",
    "hanro.ids",
    "hanro.value",
    "hanro.events",
    "hanro.marketplace.types",
    # Pure functions of those values.
    "hanro.doubling",
    "hanro.marketplace.keys",
    "hanro.marketplace.tracking",
    "hanro.marketplace.permits",
    "hanro.marketplace.policy",
    "hanro.marketplace.statuses",
    "hanro.marketplace",
)
# Beyond the standard library.
LIBRARIES = {"pydantic", "pydantic_core", "jinja2"}
LONGEST_MODULE = 300
OUTSIDE = {
    "asyncio",
    "socket",
    "subprocess",
    "os",
    "pathlib",
    "threading",
    "urllib",
    "http",
    "ssl",
    "tempfile",
    "shutil",
}


def domain_files() -> list[Path]:
    found = [
        file
        for service in SERVICES
        for base in ROOT.glob(f"services/*/src/{service}")
        for file in (*base.glob("domain.py"), *base.glob("domain/**/*.py"))
    ]
    assert len({file.parts[len(ROOT.parts) + 1] for file in found}) == len(SERVICES), "every service has a domain"
    return found


def imported(file: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                modules |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                modules |= {module}
    return modules


def is_value(module: str, service: str) -> bool:
    top = module.partition(".")[0]
    if top == service:
        return module.startswith(f"{service}.domain")
    if top == "hanro":
        return any(module == known or module.startswith(f"{known}.") for known in VALUES[:-1]) or module == VALUES[-1]
    return (top in sys.stdlib_module_names and top not in OUTSIDE) or top in LIBRARIES


@pytest.mark.parametrize("file", domain_files(), ids=lambda file: str(file.relative_to(ROOT / "services")))
def test_a_domain_imports_values_only(file: Path) -> None:
    service = file.relative_to(ROOT / "services").parts[2]
    assert {module for module in imported(file) if not is_value(module, service)} == set()


def test_the_check_of_domains_refuses_what_is_no_value() -> None:
    strangers = ("sqlalchemy", "hanro.db", "order_svc.store", "asyncio", "hanro.marketplace.plugins")
    assert not any(is_value(module, "order_svc") for module in strangers)


def test_every_module_of_hanro_is_reached_by_a_service_or_is_for_tests() -> None:
    graph = grimp.build_graph("hanro", *SERVICES, *PLUGINS, include_external_packages=False)
    starts = {f"{service}.__main__" for service in SERVICES} | {f"{plugin}.plugin" for plugin in PLUGINS}
    # Migrations are loaded by path: no import leads to them.
    migrations = [imported(file) for file in ROOT.glob("services/*/migrations/versions/*.py")]
    starts |= {module for modules in migrations for module in modules if module.startswith("hanro.")}
    reached: set[str] = set()
    for start in starts:
        reached |= {start} | graph.find_upstream_modules(start)
    # A package is reached with its parts.
    reached |= {module.rpartition(".")[0] for module in reached}
    modules = {
        module for module in graph.modules if module.startswith("hanro.") and not module.startswith("hanro.testing")
    }
    packages = {module for module in modules if any(other.startswith(f"{module}.") for other in modules)}
    assert sorted(modules - reached - packages) == []


def test_no_module_is_longer_than_its_budget() -> None:
    files = [file for top in ("libs", "services", "deploy") for file in (ROOT / top).glob("**/src/**/*.py")]
    assert len(files) > len(SERVICES)
    longer = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: count for name, count in longer.items() if count > LONGEST_MODULE} == {}
