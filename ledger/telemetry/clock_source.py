"""What is known of this machine's clock: whether something keeps it right, how far off it is, and what does so.

Claimed times (`recorded_at`, a witness's cosignature) are worth what the clocks are that made them. The kernel says
what whoever disciplines its clock has told it (adjtimex); chrony, where it runs, says by what.
"""

from __future__ import annotations

import ctypes
import logging
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass

_UNSYNCHRONIZED, _NANOSECONDS = 0x0040, 0x2000
"""STA_UNSYNC and STA_NANO of <linux/timex.h>."""
_TIME_ERROR = 5
_MICRO, _NANO = 1e-6, 1e-9
_CHRONY = ("chronyc", "-n", "-c", "tracking")
_CHRONY_SECONDS_MAX = 2.0
_CHRONY_FIELDS_MIN = 5
_log = logging.getLogger(__name__)


class Timex(ctypes.Structure):
    """`struct timex`: read with `modes` 0, which needs no right and changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


@dataclass(frozen=True, slots=True)
class ClockState:
    """The clock at one moment."""

    synchronized: bool | None
    """Whether the kernel counts it as kept right; None where it does not say."""
    offset_seconds: float
    """What is still to be corrected."""
    error_seconds_max: float
    """The bound that the kernel vouches for; it grows while nobody corrects the clock."""
    source: str
    """What corrects it, as far as chrony says; else `kernel`, or `unknown`."""

    def words(self) -> str:
        """For a reader who is no engineer."""
        if self.synchronized is None:
            return "this system does not say whether its clock is kept right"
        if not self.synchronized:
            return f"not synchronized, by the kernel's account; source: {self.source}"
        offset, error = f"{self.offset_seconds:+.6f} s", f"{self.error_seconds_max:.6f} s"
        return f"synchronized; off by {offset}, at most {error}, by the kernel's account; source: {self.source}"


def _adjtimex(into: Timex) -> int:
    return int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(into)))


def _chrony() -> str:
    """What chrony follows; empty where it does not run here."""
    if shutil.which(_CHRONY[0]) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the words above
            _CHRONY, capture_output=True, text=True, timeout=_CHRONY_SECONDS_MAX, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    fields = done.stdout.strip().split(",")
    return f"chrony, {fields[1] or fields[0]}, stratum {fields[2]}" if len(fields) >= _CHRONY_FIELDS_MIN else ""


def clock_state(read: Callable[[Timex], int] = _adjtimex, chrony: Callable[[], str] = _chrony) -> ClockState:
    """The clock now. Takes at most two seconds, where chrony hangs."""
    found = Timex()
    try:
        answer = read(found)
    except (OSError, AttributeError):  # no Linux
        answer = -1
    if answer < 0:
        return ClockState(None, 0.0, 0.0, chrony() or "unknown")
    unit = _NANO if found.status & _NANOSECONDS else _MICRO
    right = answer != _TIME_ERROR and not found.status & _UNSYNCHRONIZED
    return ClockState(right, found.offset * unit, found.maxerror * _MICRO, chrony() or "kernel")


def log_clock(state: ClockState) -> None:
    """One line for each start of a role; a warning where nothing keeps the clock right."""
    level = logging.INFO if state.synchronized else logging.WARNING
    _log.log(level, "the clock of this machine", extra=asdict(state) | {"said": state.words()})
