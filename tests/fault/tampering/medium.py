"""What a stored thing has to offer to be tampered with: changes, a checker that is the product's own, and places."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Protocol

from click.testing import CliRunner

from ledger.cli.main import main
from tests.fault.tampering.changes import Change, Changed, Items, changes


@dataclass(frozen=True)
class Found:
    """What the checker makes of what is there."""

    accepted: bool
    says: str
    """Its report, or what it says is proven."""


@dataclass(frozen=True)
class Tampering:
    """One generated change."""

    names: tuple[str, ...]
    """What it touches."""
    applied: Callable[[], AbstractContextManager[None]]
    """Everything is as before when the block ends."""


class Medium(Protocol):
    """One class of stored bytes."""

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """Generated changes of this kind."""
        ...

    def check(self) -> Found:
        """The product's checker on what is there now."""
        ...

    def places(self, name: str) -> Sequence[str]:
        """Words of which the report must have one where `name` was changed."""
        ...

    def says_no_more(self, before: Found, after: Found) -> bool:
        """Whether what is still accepted is what was proven before, or part of it."""
        ...


@dataclass
class BytesMedium:
    """Named bytes that lie in memory as they were read; `checked` hands what is left of them to the product."""

    items: Items
    older: Items
    checked: Callable[[Items], Found]
    place_of: Callable[[str], Sequence[str]]
    less: Callable[[str, str], bool] = field(default=lambda before, after: before == after)
    """From what was said before and after to whether nothing else is said now."""
    _changed: Changed = field(default_factory=Changed)

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        for changed in changes(change, self.items, self.older, dice):
            yield Tampering(tuple(changed), lambda changed=changed: self._with(changed))

    @contextmanager
    def _with(self, changed: Changed) -> Generator[None]:
        self._changed = changed
        try:
            yield
        finally:
            self._changed = {}

    def check(self) -> Found:
        """As Medium says."""
        there = {**self.items, **self._changed}
        return self.checked({name: data for name, data in there.items() if data is not None})

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return self.place_of(name)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return self.less(before.says, after.says)


@dataclass
class Baselines:
    """What each checker says of the untouched state; asked once."""

    _known: dict[int, Found] = field(default_factory=dict[int, Found])

    def of(self, medium: Medium) -> Found:
        """Asked of the medium where it was not yet."""
        if id(medium) not in self._known:
            self._known[id(medium)] = medium.check()
        return self._known[id(medium)]

    @cached_property
    def count(self) -> int:
        """How many were asked."""
        return len(self._known)


def ledger_command(*arguments: str, **environment: str) -> Found:
    """One of the product's commands, and what it said."""
    runner = CliRunner(env={"COLUMNS": "300", **environment})
    result = runner.invoke(main, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Found(result.exit_code == 0, result.output)
