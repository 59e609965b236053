"""`repair refill`, `repair succeed` and `restore`, killed (-9) at their operations on files and databases: run again,
each ends as if nothing had been, at the same root."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.main import main
from ledger.config import load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.store.whole_ledger import verify_stored
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.fault.broken_files import die, in_a_child
from tests.fault.broken_operations import broken_operations
from tests.integration.log.conftest import integrating_at
from tests.integration.log.succession_ground import ADA, BEA, environment_of
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database, create_database, open_to_roles

KEPT, SIGNED = 500, 600
PLACES = 6
"""At how many operations a command is killed, spread over all kinds of them; `make test-long` kills it at each."""
_numbers = count(1)


@dataclass
class Ground:
    """What a command finds: a database and a folder of its own, copied anew for each kill."""

    ledger: LoadedLedger
    folder: Path
    words: tuple[str, ...]
    url: str = ""
    """Of another role than the service's, for a restore."""

    def run(self) -> Result:
        environment = environment_of(self.ledger.database, self.folder)
        if self.url:
            environment["LEDGER_POSTGRES_MIGRATE_URL"] = self.url
        return CliRunner().invoke(main, self.words, env=environment)

    def log(self, number: int = 1) -> LogFiles:
        hospital = self.ledger.hospital
        return LogFiles(DirectoryBlobs(self.folder / "log"), hospital if number == 1 else f"{hospital}.{number}")


@dataclass
class Lost:
    """A hospital of which 600 events were signed and 500 are left, its log whole, and its backup of then."""

    ledger: LoadedLedger
    folder: Path
    stored: dict[int, tuple[bytes, bytes]]

    def copied(self, template: str) -> tuple[LoadedLedger, Path]:
        server, number = self.ledger.database.server, next(_numbers)
        name, folder = f"killed_{number}", self.folder.parent / f"killed-{number}"
        create_database(server, name, template)
        open_to_roles(server, name)
        shutil.copytree(self.folder, folder)
        return LoadedLedger(Database(name, server.url(name), server), self.ledger.hospital, 1), folder

    def for_refill(self) -> Ground:
        ledger, folder = self.copied(self.ledger.database.name)
        return Ground(ledger, folder, ("repair", "refill", ledger.hospital))

    def for_succeed(self) -> Ground:
        ledger, folder = self.copied(self.ledger.database.name)
        for kind in ("tile/entries", "bodies"):
            (folder / "log" / ledger.hospital / kind / "001").unlink()
            shutil.rmtree(folder / "log" / ledger.hospital / kind / "002.p")
        approved = ("--approver", ADA, "--approver", BEA, "--reason", "STORAGE_LOST")
        return Ground(ledger, folder, ("repair", "succeed", ledger.hospital, *approved))

    def for_restore(self) -> Ground:
        ledger, folder = self.copied("template0")
        (folder / "log").rename(folder / "living")
        parts = (str(folder / "events"), "--keys", str(folder / "keys-kept"), "--log", str(folder / "living"))
        return Ground(ledger, folder, ("restore", *parts, "--for-repair"), ledger.database.url)


@pytest.fixture(scope="module")
def lost(postgres_server: EmbeddedPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Lost:
    create_database(postgres_server, "killed_template", template_database)
    open_to_roles(postgres_server, "killed_template")
    database = Database("killed_template", postgres_server.url("killed_template"), postgres_server, migrated=True)
    folder = tmp_path_factory.mktemp("killed") / "begun"
    folder.mkdir()
    (folder / "passphrase").touch(0o600)
    (folder / "passphrase").write_text("a passphrase of the tests\n")
    return asyncio.run(_begun(database, folder))


async def _begun(database: Database, folder: Path) -> Lost:
    ledger = await LoadedLedger.add(database, "killed", 1)
    environment = environment_of(database, folder)
    keys = LogKeys(folder / "keys", folder / "passphrase", make=True)
    log = Log(DirectoryBlobs(folder / "log"), keys, None)
    words = ["backup", str(folder / "events"), "--keys-to", str(folder / "keys-kept")]
    async with integrating_at(replace(load(environment), checkpoint_seconds=1), log):
        for upto in (KEPT, SIGNED):
            ledger.append(upto - ledger.head)
            ledger.forget_heads_above(upto)
            await until_published(LogFiles(log.blobs, ledger.hospital), upto)
            if upto == KEPT:
                done = await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=environment))
                assert done.exit_code == 0, done.output
    stored = ledger.stored()
    ledger.cut(KEPT)
    ledger.forget_heads_above(KEPT)
    return Lost(ledger, folder, stored)


def root_of(stored: dict[int, tuple[bytes, bytes]]) -> bytes:
    frontier = Frontier()
    frontier.extend(leaf_hash(envelope) for _, (envelope, _) in sorted(stored.items()))
    return frontier.root()


def assert_whole(ground: Ground) -> None:
    url = ground.ledger.database.role_url("ledger_append")
    assert isinstance(asyncio.run(verify_stored(url, ground.ledger.hospital)), Summary)


def assert_refilled(lost: Lost, ground: Ground) -> None:
    """Every byte, the root that was signed, and commands wait for `accept`."""
    assert ground.ledger.stored() == lost.stored
    note = ground.log().signed()
    assert note is not None
    assert root_of(lost.stored) == parse_checkpoint(note.text).root
    assert "are refilled" in ground.log().halted()
    assert_whole(ground)


def assert_succeeded(lost: Lost, ground: Ground) -> None:
    """One end, one successor, one LogSucceeded behind what survives, and commands are let in."""
    stored = ground.ledger.stored()
    assert {at: stored[at] for at in range(1, KEPT + 1)} == {at: lost.stored[at] for at in range(1, KEPT + 1)}
    assert [decode(envelope).type for at, (envelope, _) in sorted(stored.items()) if at > KEPT] == [
        "ledger.v1.LogSucceeded"
    ]
    end = ground.log().ended()
    assert end is not None
    assert (ground.log(2).succeeded(), ground.log(2).halted()) == (end, "")
    survives = dict(sorted(lost.stored.items())[:KEPT])
    assert f"\n{KEPT}\n" in end.text
    assert root_of(survives) == root_of({at: stored[at] for at in survives})
    keys = ground.folder / "keys"
    assert sorted(each.name.endswith(".retired") for each in keys.iterdir() if "verifiers" not in each.name) == [
        False,
        True,
    ]
    assert_whole(ground)


def assert_restored(lost: Lost, ground: Ground) -> None:
    """The backup's bytes, the log that lives on beside them, and no commands before a repair."""
    assert ground.ledger.stored() == {at: lost.stored[at] for at in range(1, KEPT + 1)}
    key = LogKeys(ground.folder / "keys", ground.folder / "passphrase", make=False).of(f"{ORIGIN_PREFIX}/killed/1")[0]
    checked = check_log(ground.log().read, key.verifier(), note="signed")
    assert (checked.checkpoint.size, checked.checkpoint.root) == (SIGNED, root_of(lost.stored))
    assert "positions 501 to 600 are missing" in ground.log().halted()
    assert_whole(ground)


COMMANDS: dict[str, tuple[Callable[[Lost], Ground], Callable[[Lost, Ground], None]]] = {
    "refill": (Lost.for_refill, assert_refilled),
    "succeed": (Lost.for_succeed, assert_succeeded),
    "restore": (Lost.for_restore, assert_restored),
}


def operations(lost: Lost, command: str) -> list[str]:
    """Each operation of a run that is left alone, which ends as it must."""
    begin, assert_ended = COMMANDS[command]
    ground = begin(lost)
    with broken_operations(0, die) as counted:
        done = ground.run()
    assert done.exit_code == 0, done.output
    assert_ended(lost, ground)
    return counted.kinds


def assert_goes_on(lost: Lost, command: str, at: int | tuple[str, int]) -> bool:
    """Killed at one operation, the next run of the same command comes to the same end; whether it was killed.

    A run that waits less often takes a few operations less than the one counted: it may be over before it comes to one
    that is counted among all, or among those by which it waits.
    """
    begin, assert_ended = COMMANDS[command]
    ground = begin(lost)

    def work() -> None:
        with broken_operations(at, die):
            ground.run()

    ended_by = in_a_child(work)
    assert ended_by in {signal.SIGKILL, 0}
    if command != "restore":
        ground.ledger.end_leases()
    again = ground.run()
    # Killed behind the last step that counts, there is nothing left to do, and it says so.
    assert again.exit_code == 0 or is_done(again), again.output
    assert_ended(lost, ground)
    shutil.rmtree(ground.folder)
    with psycopg.connect(ground.ledger.database.server.superuser_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{ground.ledger.database.name}" WITH (FORCE)'.encode())
    return ended_by == signal.SIGKILL


def is_done(again: Result) -> bool:
    return "holds a ledger already" in again.output or "has signed nothing yet" in again.output


@pytest.mark.parametrize("command", COMMANDS)
def test_a_repair_that_is_killed_is_gone_on_with(lost: Lost, command: str) -> None:
    """At the last operation of some of its kinds, from its first to its last."""
    kinds = operations(lost, command)
    last = list(dict.fromkeys(reversed(kinds)))[::-1]
    assert len(last) > PLACES
    places = [last[place * (len(last) - 1) // (PLACES - 1)] for place in range(PLACES)]
    assert sum(assert_goes_on(lost, command, (kind, kinds.count(kind))) for kind in places) >= PLACES - 1


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_repair_is_gone_on_with_wherever_it_is_killed(lost: Lost, command: str) -> None:
    """At every single one."""
    killed = [assert_goes_on(lost, command, at) for at in range(1, len(operations(lost, command)) + 1)]
    assert sum(killed) >= len(killed) - PLACES
