"""Builds the Go program once. A missing Go is an error; LEDGER_TEST_GO=off is the only way to leave these tests out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".ledger-cache"
_BUILD_SECONDS_MAX = 300
_RUN_SECONDS_MAX = 60

Interop = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def program() -> Path:
    """The program, built."""
    if os.environ.get("LEDGER_TEST_GO") == "off":
        pytest.skip("LEFT OUT: the interop tests (LEDGER_TEST_GO=off)")
    go = shutil.which("go")
    if go is None:
        pytest.fail("Go is missing: install Go 1.26 or later; LEDGER_TEST_GO=off leaves the interop tests out")
    program = _CACHE / "interop" / "interop"
    # -modcacherw: else `make clean` could not remove what Go fetched
    environment = os.environ | {
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
        "GOMODCACHE": str(_CACHE / "gomod"), "GOCACHE": str(_CACHE / "gobuild"),
    }  # fmt: skip
    built = subprocess.run(
        [go, "build", "-o", program, "."], cwd=_HERE, env=environment, text=True, capture_output=True,
        timeout=_BUILD_SECONDS_MAX, check=False,
    )  # fmt: skip
    if built.returncode:
        pytest.fail(f"go build: {built.stderr}")

    return program


@pytest.fixture(scope="session")
def interop(program: Path) -> Interop:
    """Runs the program with a command and its arguments."""

    def run(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, command, *arguments], text=True, capture_output=True, timeout=_RUN_SECONDS_MAX, check=False
        )

    return run
