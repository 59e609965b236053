"""Log lines are JSON, carry facts as fields, and quote no foreign error."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.config import BadSettings
from ledger.telemetry.logs import configure_logging
from ledger.telemetry.trace import current_traceparent


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What was logged; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    configure_logging("INFO", out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)


def _only(lines: io.StringIO) -> dict[str, Any]:
    return json.loads(lines.getvalue())


def _log_error(error: Exception) -> None:
    try:
        raise error
    except type(error):
        logging.getLogger("ledger.x").exception("failed")


def test_facts_become_fields(lines: io.StringIO) -> None:
    """`extra` arrives beside the message, with the trace under way."""
    token = current_traceparent.set("00-a-b-01")
    logging.getLogger("ledger.x").info("moved %d", 3, extra={"hospital": "north"})
    current_traceparent.reset(token)
    line = _only(lines)
    assert (line["message"], line["hospital"], line["level"]) == ("moved 3", "north", "INFO")
    assert line["traceparent"] == "00-a-b-01"


def test_a_foreign_error_is_named_but_not_quoted(lines: io.StringIO) -> None:
    """Its text could hold the row that it failed on."""
    _log_error(ValueError("Key (name)=(Somebody) exists"))
    line = _only(lines)
    assert line["error"] == "builtins.ValueError"
    assert "Somebody" not in lines.getvalue()
    assert any("_log_error" in frame for frame in line["where"])


def test_our_own_error_says_why(lines: io.StringIO) -> None:
    """Our errors hold no patient's data by rule, and their text is what an operator needs."""
    _log_error(BadSettings(()))
    assert _only(lines)["reason"] == str(BadSettings.__doc__)


def test_less_than_the_level_is_left_out(lines: io.StringIO) -> None:
    """The level is kept."""
    logging.getLogger("ledger.x").debug("chatter")
    assert lines.getvalue() == ""
