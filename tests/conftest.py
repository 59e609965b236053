"""Fixtures and rules for every test: real servers from tests/services, one kind of test per folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

pytest_plugins = [
    "tests.services.folders",
    "tests.services.postgres",
    "tests.services.kafka",
    "tests.services.proxy",
    "tests.services.clinosim",
]

_HERE = Path(__file__).parent
_KINDS = ("unit", "contract", "integration", "e2e", "property", "fault")
_left_out = pytest.StashKey[int]()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Mark each test by its folder and by the servers it needs; leave Kafka out only where told to.

    Marked before `-m` chooses, left out afterwards: only what would have run is left out.
    """
    for item in items:
        _mark(item)
    yield
    if os.environ.get("LEDGER_TEST_KAFKA", "on") != "off":
        return
    without = [item for item in items if item.get_closest_marker("kafka") is None]
    left_out = [item for item in items if item.get_closest_marker("kafka") is not None]
    config.hook.pytest_deselected(items=left_out)
    config.stash[_left_out] = len(left_out)
    if hasattr(config, "workeroutput"):
        cast("Any", config).workeroutput["left_out"] = len(left_out)
    items[:] = without


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Where tests run side by side each process collects all of them; one says how many were left out."""
    del error
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests LEDGER_TEST_KAFKA=off has left out."""
    count = config.stash.get(_left_out, 0)
    if count:
        terminalreporter.section("Kafka")
        terminalreporter.write_line(f"LEDGER_TEST_KAFKA=off: {count} tests on the real Kafka were LEFT OUT")


def _mark(item: pytest.Item) -> None:
    kind = item.path.relative_to(_HERE).parts[0]
    if kind in _KINDS:
        item.add_marker(kind)
    fixtures: list[str] = getattr(item, "fixturenames", [])
    if "kafka_jars" in fixtures:
        item.add_marker("kafka")
