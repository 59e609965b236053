"""Runs the core's unit tests against the core without each of its refusals, in one session.

`python -m tests.unit.domain.mutant_run` runs every test once, sees which ones make each refusal, and runs these without
it until one fails: its name goes into `refusal_killers.txt`. `--named` runs the named tests alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.unit.domain.refusal_mutants import Refusal, refusals, watched, without

KILLERS = Path(__file__).with_name("refusal_killers.txt")
_FOLDER = Path(__file__).parent
_ROOT = _FOLDER.parents[2]


def killers() -> dict[str, str]:
    """From the name of a refusal to the test that fails without it."""
    rows = (line.partition(" <- ") for line in KILLERS.read_text(encoding="utf-8").splitlines())
    return {name: test for name, found, test in rows if found}


class Mutants:
    """A session of pytest that runs its tests without one refusal after the other."""

    def __init__(self, named: dict[str, str] | None) -> None:
        self.named = named
        self.killed: dict[str, str] = {}
        self.survived: list[Refusal] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every refusal by the tests that make it, or by the one that is named."""
        makers = self._makers(session.items) if self.named is None else self._named(session.items)
        for refusal in refusals():
            if self.named is not None and refusal.name not in self.named:
                continue
            with without(refusal):
                killer = next((each for each in makers.get(refusal.name, ()) if not passes(each)), None)
            if killer is None:
                self.survived.append(refusal)
            else:
                self.killed[refusal.name] = killer.nodeid
        return True

    def _makers(self, items: list[pytest.Item]) -> dict[str, list[pytest.Item]]:
        made: dict[str, dict[pytest.Item, None]] = {}
        running: list[pytest.Item] = []

        def hit(name: str) -> None:
            if running:
                made.setdefault(name, {})[running[-1]] = None

        with watched(hit):
            for each in items:
                running.append(each)
                assert passes(each), f"{each.nodeid} fails with the core as it is"
                running.pop()
        return {name: list(tests) for name, tests in made.items()}

    def _named(self, items: list[pytest.Item]) -> dict[str, list[pytest.Item]]:
        by_id = {each.nodeid: each for each in items}
        return {name: [by_id[test]] for name, test in (self.named or {}).items() if test in by_id}


def passes(item: pytest.Item) -> bool:
    """Whether the test holds now; it can be run again."""
    reports = runtestprotocol(item, nextitem=None, log=False)
    # As plugins that repeat tests do it: the next run makes its fixtures anew.
    setattr(item, "_request", False)  # noqa: B010  # no name of the type's
    return all(each.passed for each in reports)


def run(named: dict[str, str] | None) -> Mutants:
    """Every refusal, or those of the names with their tests."""
    mutants = Mutants(named)
    tests: Iterable[str] = [str(_FOLDER)] if named is None else sorted({_file(each) for each in named.values()})
    options = ["-q", "--no-header", "-p", "no:cacheprovider", f"--ignore={_FOLDER / 'test_refusal_mutants.py'}"]
    pytest.main([*tests, *options], plugins=[mutants])
    return mutants


def _file(test: str) -> str:
    return str(_ROOT / test.partition("::")[0])


def main() -> int:
    """Prints what nobody noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--named", action="store_true", help="by the named tests alone")
    parser.add_argument("--every", type=int, default=1, help="of the named ones every n-th")
    parser.add_argument("--look", action="store_true", help="leave the list of names as it is")
    asked = parser.parse_args()
    named = dict(sorted(killers().items())[:: asked.every]) if asked.named else None
    found = run(named)
    if named is None and not asked.look:
        lines = [f"{name} <- {test}" for name, test in sorted(found.killed.items())]
        KILLERS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for each in found.survived:
        print(f"SURVIVED {each.name} (line {each.line})")
    # A session that broke down has judged nothing.
    return 0 if found.killed and not found.survived else 1


if __name__ == "__main__":
    sys.exit(main())
