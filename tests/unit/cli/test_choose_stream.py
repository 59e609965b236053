"""Where Kafka does not carry the stream, one short line says so at every start, and how to get it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.cli.service_options import choose_stream
from ledger.embedded.errors import KafkaUnavailable


def test_a_folder_that_began_on_the_log_says_so_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line where nobody asked for the log; none where somebody did."""
    (tmp_path / "service.json").write_text('{"stream": "postgres"}')
    for _ in range(2):
        assert choose_stream(tmp_path, None) == "postgres"
        (line,) = capsys.readouterr().err.splitlines()
        assert "not on Kafka" in line
        assert "--dir" in line
    assert choose_stream(tmp_path, "postgres") == "postgres"
    assert not capsys.readouterr().err


def test_a_failed_download_is_one_short_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Maven's own words go to a file that the line names; where Kafka was asked for, it is an error."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mvn").write_text("#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8 9; do echo 'no such repository'; done; exit 1\n")
    (programs / "java").write_text("#!/bin/sh\necho 'openjdk version \"17.0.9\" 2023-10-17' >&2\n")
    for each in programs.iterdir():
        each.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("LEDGER_CACHE_DIR", str(tmp_path / "cache"))
    assert choose_stream(tmp_path / "new", None) == "postgres"
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) < 300
    log = tmp_path / "cache" / "kafka" / "maven.log"
    assert str(log) in line
    assert "no such repository" in log.read_text()
    with pytest.raises(KafkaUnavailable):
        choose_stream(tmp_path / "new", "kafka")
