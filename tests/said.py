"""What our own programs logged: a library's warnings (a slow poll of kafka-python on a busy machine) are not ours."""

import logging

import pytest


def said_by(caplog: pytest.LogCaptureFixture, logger: str) -> list[logging.LogRecord]:
    """The captured records of this logger and of those below it, in order."""
    return [each for each in caplog.records if each.name == logger or each.name.startswith(f"{logger}.")]
