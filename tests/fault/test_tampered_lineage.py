"""The tamper matrix's second state: a ledger of two origins, whose log bears two keys while one follows the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log
from ledger.keys.key_folder import KeyFolder
from ledger.trust.note_key import KeyKind, VerifierKey
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.fault.tampering.changes import FLIPS, Change, Changed, changes
from tests.fault.tampering.medium import Found, ledger_command
from tests.integration.log.conftest import integrating_at
from tests.integration.log.succession_ground import KEPT, Ground, environment_of
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database

SIGNED = KEPT + 3
_COLUMNS = ("envelope", "body")
_GUARDS = ("events_bodies_are_sealed", "events_bodies_have_the_sealed_form")
"""What the database itself holds against some changes, and an owner takes away."""
_PLACES = (1, KEPT, KEPT + 1, KEPT + 2)
"""First and last of the old origin, the LogSucceeded, and one of the new origin."""


class Lineage:
    """What is stored, and the product's checkers on it with heads of both logs remembered."""

    def __init__(self, ground: Ground, keys: list[VerifierKey]) -> None:
        self.ground = ground
        self.folder = ground.folder / "log" / f"{ground.ledger.hospital}.2"
        self._old = ground.folder / "log" / ground.ledger.hospital
        self._policy = ground.folder / "policy"
        self._policy.write_text("".join(f"log {key}\n" for key in keys) + "quorum none\n")

    def ledger(self) -> Found:
        """`ledger verify`, with the ends of both logs and how the first one ended."""
        heads = [part for each in (self._old, self.folder) for part in ("--checkpoint", str(each))]
        named = ("verify", self.ground.ledger.hospital, "--policy", str(self._policy), *heads)
        return ledger_command(*named, "--ended", str(self.folder / "succeeded"), **self.ground.environment)

    def register(self) -> Found:
        """`ledger keys history`."""
        return ledger_command("keys", "history", self.ground.new, **self.ground.environment)

    @contextmanager
    def rows(self, changed: Changed) -> Generator[None]:
        """Columns of events, by `column position`, as their owner changes them."""
        kept = self.columns()
        self._put(changed)
        try:
            yield
        finally:
            self._put({name: kept[name] for name in changed})

    def columns(self) -> dict[str, bytes]:
        """Those at the places that are tried."""
        stored = self.ground.ledger.stored()
        return {f"{name} {at}": stored[at][number] for at in _PLACES for number, name in enumerate(_COLUMNS)}

    def _put(self, changed: Changed) -> None:
        table = Identifier(f"h_{self.ground.ledger.hospital}", "events")
        with psycopg.connect(self.ground.ledger.database.url) as connection:
            connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(table))
            for guard in _GUARDS:
                connection.execute(SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(table, Identifier(guard)))
            for name, data in changed.items():
                column, _, position = name.partition(" ")
                update = SQL("UPDATE {} SET {} = %s WHERE position = %s").format(table, Identifier(column))
                connection.execute(update, (data or b"", int(position)))

    @contextmanager
    def files(self, changed: Changed) -> Generator[None]:
        """Lines of files beside the new log, by `path#line`."""
        paths = {self.folder / name.partition("#")[0] for name in changed}
        kept = {path: path.read_bytes() for path in paths}
        for path in paths:
            lines = kept[path].split(b"\n")
            for name, data in changed.items():
                if self.folder / name.partition("#")[0] == path:
                    lines[int(name.partition("#")[2])] = data if data is not None else b"\0"
            path.write_bytes(b"\n".join(line for line in lines if line != b"\0"))
        try:
            yield
        finally:
            for path, data in kept.items():
                path.write_bytes(data)

    def lines(self, path: str) -> dict[str, bytes]:
        """The lines of a file that say something."""
        found = enumerate((self.folder / path).read_bytes().split(b"\n"))
        return {f"{path}#{at}": line for at, line in found if line}


@pytest.fixture
async def lineage(database: Database, tmp_path: Path) -> Lineage:
    """500 events survive of the first log; the second has three more, and its key is followed by another."""
    ledger = await LoadedLedger.add(database, "hlineage", 1)
    (tmp_path / "passphrase").touch(0o600)
    (tmp_path / "passphrase").write_text("a passphrase of the tests\n")
    ground = Ground(ledger, environment_of(database, tmp_path), tmp_path)
    async with ground.service() as service:
        ground.patient = await ground.register(service)
    ledger.head = 1
    ledger.append(599)
    keys = LogKeys(tmp_path / "keys", tmp_path / "passphrase", make=True)
    log = Log(DirectoryBlobs(tmp_path / "log"), keys, None)
    async with integrating_at(ground.settings, log):
        await until_published(ground.old_files, 600)
    old = keys.of(ground.old)[0].verifier()
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    following = KeyFolder(tmp_path / "keys")
    following.make(ground.new, KeyKind.ED25519, b"a passphrase of the tests", cost=14, following=True)
    async with ground.service() as service:
        for _ in range(2):
            await ground.amend(service)
    async with integrating_at(ground.settings, log):
        await until_published(ground.new_files, SIGNED)
    return Lineage(ground, [old, *(key.verifier() for key in keys.of(ground.new))])


@pytest.mark.parametrize("tries", [1, pytest.param(FLIPS, marks=pytest.mark.long)])
async def test_of_two_origins_and_two_keys_each_change_is_found_at_its_place(lineage: Lineage, tries: int) -> None:
    """Events of both origins and the one between them, the end of the first log, the head under two keys and the
    register of keys: flipped, exchanged, cut short, taken away. One signature of two is enough, a broken one is not
    passed over. `make test-long` tries each change at more places."""
    await asyncio.to_thread(_every_cell, lineage, tries)


def _every_cell(lineage: Lineage, tries: int) -> None:
    dice = Random("lineage")  # noqa: S311 - places, no secrets
    before, known = lineage.ledger(), lineage.register()
    assert before.accepted, before.says
    assert known.accepted, known.says
    columns = lineage.columns()
    for change in (Change.FLIP, Change.SWAP, Change.TRUNCATE, Change.DELETE):
        for name in columns if tries > 1 else dice.sample(list(columns), 3):
            for changed in islice(changes(change, _beside(columns, name), {}, dice), tries):
                with lineage.rows(changed):
                    _refused(lineage.ledger(), changed, lambda each: f"position {each.partition(' ')[2]}")
    for change in (Change.FLIP, Change.DELETE, Change.TRUNCATE):
        for changed in islice(changes(change, lineage.lines("succeeded"), {}, dice), tries):
            with lineage.files(changed):
                _refused(lineage.ledger(), changed, lambda _: "succeeded")
        for changed in islice(changes(change, lineage.lines("keys/001"), {}, dice), tries):
            with lineage.files(changed):
                _refused(lineage.register(), changed, lambda _: "keys/001")
    _two_signatures(lineage, before, dice)
    assert (lineage.ledger(), lineage.register()) == (before, known), "what was changed is not put back"


def _beside(columns: dict[str, bytes], name: str) -> dict[str, bytes]:
    """One column at a place, and the same column elsewhere to change places with."""
    other = next(each for each in columns if each != name and each.partition(" ")[0] == name.partition(" ")[0])
    return {name: columns[name], other: columns[other]}


def _two_signatures(lineage: Lineage, before: Found, dice: Random) -> None:
    signatures = list(lineage.lines("checkpoint").items())[-2:]
    (one, first), (two, second) = signatures
    for name in (one, two):
        with lineage.files({name: None}):
            assert lineage.ledger() == before, "the other key's signature is enough"
    with lineage.files({one: second, two: first}):
        assert lineage.ledger() == before
    with lineage.files({one: None, two: None}):
        _refused(lineage.ledger(), {one: None}, lambda _: "checkpoint")
    for changed in islice(changes(Change.FLIP, {one: first, two: second}, {}, dice), FLIPS):
        with lineage.files(changed):
            found = lineage.ledger()
            assert not found.accepted or found == before, f"{list(changed)}: {found.says}"


def _refused(found: Found, changed: Changed, place: Callable[[str], str]) -> None:
    said = f"{sorted(changed)}: {found.says}"
    assert not found.accepted, said
    assert any(place(each) in found.says for each in changed), said
