"""What `make bench` runs."""

from importlib.util import find_spec

import pytest

from benchmarks.__main__ import SECONDS_MAX, SHORT, main


def test_every_short_benchmark_is_there_and_all_fit_into_the_time() -> None:
    """None is named that does not exist, and on a quiet machine none is left out."""
    assert [each.name for each in SHORT if find_spec(f"benchmarks.{each.name}.__main__") is None] == []
    assert sum(each.seconds for each in SHORT) < SECONDS_MAX


def test_a_name_that_is_none_decides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in the name must not look like a target that was reached."""
    assert main(["comand"]) == 2
    assert "command" in capsys.readouterr().err
