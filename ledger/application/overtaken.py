"""How often what a process remembers of a stream is behind what another process has appended since.

A decision on an old memory is made, sealed and sent for nothing, and then made again on what is read. Where that is
often so, reading first is cheaper: one indexed read for each command.
"""

from __future__ import annotations

_WEIGHT = 1 / 64
"""Of the newest observation; the share follows a change within about a hundred commands."""
_OFTEN = 0.25
"""Below every second memory, as two processes on the same records find; where reading first pays was not measured."""


class Overtaken:
    """A share of the newest commands, kept for each hospital."""

    def __init__(self) -> None:
        self._share = 0.0

    @property
    def often(self) -> bool:
        """Whether a stream should be read before a decision on it."""
        return self._share > _OFTEN

    def note(self, *, behind: bool) -> None:
        """What one command has found of what was remembered before it."""
        self._share += (behind - self._share) * _WEIGHT
