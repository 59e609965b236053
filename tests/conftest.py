"""Fixtures and rules for every test: real servers from tests/services, one kind of test per folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings

from tests.services import browser

pytest_plugins = [
    "tests.services.folders",
    "tests.services.postgres",
    "tests.services.kafka",
    "tests.services.proxy",
    "tests.services.clinosim",
    "tests.services.chromium",
]

# A run of a fixed commit gives one answer; new cases are for `make soak`, or --hypothesis-profile=searching.
settings.register_profile("fixed", derandomize=True, database=None)
settings.register_profile("searching", derandomize=False)
settings.load_profile("fixed")

_HERE = Path(__file__).parent
_KINDS = ("unit", "contract", "integration", "e2e", "property", "fault")
_left_out = pytest.StashKey[dict[str, list[str]]]()
_NO_KAFKA = "LEDGER_TEST_KAFKA=off"
_LONG = "make test-long"


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Mark each test by its folder and by the servers it needs; leave Kafka out only where told to.

    Marked before `-m` chooses, left out afterwards: only what would have run is left out.
    """
    for item in items:
        _mark(item)
    long = [item for item in items if item.get_closest_marker("long") is not None]
    yield
    found: dict[str, list[str]] = {}
    if names := [item.nodeid for item in long if item not in items]:
        found[_LONG] = names
    for item in items:
        if reason := _reason(item):
            found.setdefault(reason, []).append(item.nodeid)
    left_out = [item for item in items if any(item.nodeid in names for names in found.values())]
    config.hook.pytest_deselected(items=left_out)
    config.stash[_left_out] = found
    if hasattr(config, "workeroutput"):
        cast("Any", config).workeroutput["left_out"] = found
    items[:] = [item for item in items if item not in left_out]


def _reason(item: pytest.Item) -> str:
    """Why a test is left out; empty = it is not."""
    if os.environ.get("LEDGER_TEST_KAFKA", "on") == "off" and item.get_closest_marker("kafka") is not None:
        return _NO_KAFKA
    return browser.missing() if item.get_closest_marker("chromium") is not None else ""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Where tests run side by side each process collects all of them; one says what was left out."""
    del error
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests are left out as long or by LEDGER_TEST_KAFKA=off, and which for want of a browser."""
    for reason, names in config.stash.get(_left_out, dict[str, list[str]]()).items():
        terminalreporter.section("left out")
        if reason == _NO_KAFKA:
            terminalreporter.write_line(f"{reason}: {len(names)} tests on the real Kafka were LEFT OUT")
        elif reason == _LONG:
            terminalreporter.write_line(f"{reason}: {len(names)} tests that take minutes were LEFT OUT")
        else:
            terminalreporter.write_line(f"{reason}: LEFT OUT {', '.join(names)}")


def _mark(item: pytest.Item) -> None:
    kind = item.path.relative_to(_HERE).parts[0]
    if kind in _KINDS:
        item.add_marker(kind)
    fixtures: list[str] = getattr(item, "fixturenames", [])
    if "kafka_jars" in fixtures:
        item.add_marker("kafka")
    # What the library does by itself changes with its release alone: its traps are slow, and the product avoids them.
    if "kafka_traps" in item.path.parts:
        item.add_marker("long")
    if "chromium" in fixtures:
        item.add_marker("chromium")
