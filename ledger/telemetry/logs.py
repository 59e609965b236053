"""Logs: one JSON object a line on stderr, with no text in it that could hold a patient's data.

Facts go into `extra`: `logger.warning("lease lost", extra={"hospital": "north", "epoch": 7})`.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from ledger.telemetry.trace import current_traceparent

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}
_OURS = ("ledger", "projections", "consumers", "importers")
_FRAMES_MAX = 12


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, logger, message, the fields of `extra`, trace and error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if traceparent := current_traceparent.get():
            line["traceparent"] = traceparent
        if record.exc_info and record.exc_info[1]:
            line |= _described(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send everything from `level` up to the stream (default: stderr); replaces what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Speaks of every connection at INFO.
    logging.getLogger("kafka").setLevel(max(logging.WARNING, root.level))


def _described(error: BaseException) -> dict[str, object]:
    kind = type(error)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    described: dict[str, object] = {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    # A foreign error's text can quote the row it failed on; our own errors are known to hold no patient's data.
    if kind.__module__.split(".")[0] in _OURS:
        described["reason"] = str(error)
    return described
