"""A backup that is 100 events old, with topic, tiles and witness ahead: what is left of each decides the way on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.main import main
from ledger.config import Settings
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note_key import SigningKey
from ledger.trust.policy_file import parse_policy
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.fault.topic_contents import Publishing, delete_topic, wait_for_events
from tests.integration.log.conftest import integrating_at
from tests.integration.log.succession_ground import Ground, environment_of
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database, create_database
from tests.services.witness import WitnessProcess

BEFORE, AFTER = 500, 600


@dataclass
class Lost:
    """A ledger that is lost, its backup of 500 events, and what lives on of 600."""

    ledger: LoadedLedger
    folder: Path
    kafka: str
    policy: Path
    key: SigningKey

    @property
    def log(self) -> LogFiles:
        """As it lives on."""
        return LogFiles(DirectoryBlobs(self.folder / "log"), self.ledger.hospital)

    async def run(self, ground: Ground, *words: str, **environment: str) -> tuple[int, str]:
        """A command of the program beside a restored ledger."""
        stream = {"LEDGER_STREAM": "kafka", "LEDGER_KAFKA_BOOTSTRAP": self.kafka}
        env = {**ground.environment, **stream, **environment}
        done = await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=env))
        return done.exit_code, done.output

    async def restore(self, ground: Ground, *options: str) -> tuple[int, str]:
        """Into the empty database of this ground, with its keys."""
        parts = (
            str(self.folder / "events"),
            "--keys",
            str(self.folder / "keys-kept"),
            "--log",
            str(self.folder / "log"),
        )
        url = {"LEDGER_POSTGRES_MIGRATE_URL": ground.ledger.database.url}
        return await self.run(ground, "restore", *parts, "--policy", str(self.policy), *options, **url)

    def another(self) -> Ground:
        """An empty database and folder, with the keys that sign."""
        name = f"restored_{uuid4().hex[:8]}"
        server = self.ledger.database.server
        create_database(server, name)
        folder = self.folder / name
        shutil.copytree(self.folder / "keys", folder / "keys")
        shutil.copy(self.folder / "passphrase", folder / "passphrase")
        database = Database(name, server.url(name), server)
        return Ground(LoadedLedger(database, self.ledger.hospital, 3), environment_of(database, folder), folder)


@pytest.fixture
async def lost(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, tmp_path: Path
) -> AsyncGenerator[Lost]:
    (tmp_path / "passphrase").touch(0o600)
    (tmp_path / "passphrase").write_text("a passphrase of the tests\n")
    keys = LogKeys(tmp_path / "keys", tmp_path / "passphrase", make=True)
    (key,) = keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")
    witness = WitnessProcess(tmp_path / "w", "witness.test/w", [key.verifier()])
    witness.start()
    policy = tmp_path / "policy"
    policy.write_text(f"log {key.verifier()}\nwitness w {witness.key} {witness.url}\nquorum w\n")
    found = Lost(ledger, tmp_path, settings.kafka_bootstrap, policy, key)
    log = Log(DirectoryBlobs(tmp_path / "log"), keys, parse_policy(policy.read_bytes()))
    try:
        async with publishing(), integrating_at(replace(settings, checkpoint_seconds=1), log):
            for upto in (BEFORE, AFTER):
                ledger.append(upto - ledger.head)
                ledger.forget_heads_above(upto)
                await until_published(found.log, upto)
                if upto == BEFORE:
                    backed_up = await found.run(
                        Ground(ledger, environment_of(ledger.database, tmp_path), tmp_path),
                        "backup", str(tmp_path / "events"), "--keys-to", str(tmp_path / "keys-kept"),
                    )  # fmt: skip
                    assert backed_up[0] == 0, backed_up
            await wait_for_events(settings.kafka_bootstrap, records_topic(ledger.hospital), AFTER)
        yield found
    finally:
        witness.stop()


def lose_bundles(lost: Lost) -> None:
    """From 513 on: those of 257 to 512 are left."""
    for kind in ("tile/entries", "bodies"):
        shutil.rmtree(lost.folder / "log" / lost.ledger.hospital / kind / "002.p")


async def test_what_is_left_decides_the_way_on(lost: Lost) -> None:
    """Refused, and each that remembers is named. With bundles gone from the log the topic brings the rest back, to the
    same root and bytes, and while it could nothing is given up. With the topic gone too the log ends, a new origin
    goes on over what is left, and commands are taken: no halt of the restore stays."""
    ground = lost.another()
    status, said = await lost.restore(ground)
    assert status == 1, said
    for source in ("`signed` of", "topic ledger.records", "witness witness.test/w"):
        assert f"positions 501 to 600 are missing: {source}" in said, said
    lose_bundles(lost)

    status, said = await lost.restore(ground, "--for-repair")
    assert (status, "takes no commands" in said) == (0, True), said
    status, said = await lost.run(ground, "repair", "refill", lost.ledger.hospital)
    assert (status, "positions 501 to 600 are back" in said) == (0, True), said
    assert ground.ledger.stored() == lost.ledger.stored()
    tree = Frontier()
    tree.extend(leaf_hash(envelope) for _, (envelope, _) in sorted(ground.ledger.stored().items()))
    note = lost.log.published()
    assert note is not None
    assert (tree.size, tree.root()) == (AFTER, parse_checkpoint(note.text).root)
    assert "refilled" in ground.old_files.halted()
    assert (await ground.repair("accept")).exit_code == 0

    without = lost.another()
    assert (await lost.restore(without, "--for-repair"))[0] == 0
    kafka = ("--kafka", lost.kafka)
    refused = await without.succeed(options=kafka)
    assert (refused.exit_code, "positions 501 to 512 are not lost, the log has" in refused.output) == (1, True)
    (without.folder / "log" / lost.ledger.hospital / "bodies" / "001").unlink()
    refused = await without.succeed(options=kafka)
    assert (refused.exit_code, "positions 501 to 600 are not lost, the topic has" in refused.output) == (1, True)
    await asyncio.to_thread(delete_topic, lost.kafka, records_topic(lost.ledger.hospital))
    refused = await without.repair("refill", *kafka)
    assert (refused.exit_code, "bodies/001: missing" in refused.output) == (1, True), refused.output
    done = await without.succeed(options=kafka)
    assert (done.exit_code, "positions 501 to 600" in done.output) == (0, True), done.output
    assert without.new_files.halted() == ""
    await assert_goes_on(without)


async def assert_goes_on(ground: Ground) -> None:
    """Under the new origin: a command, and a log that holds it."""
    async with ground.service() as service:
        await ground.register(service)
    keys = LogKeys(ground.folder / "keys", ground.folder / "passphrase", make=False)
    async with integrating_at(ground.settings, Log(DirectoryBlobs(ground.folder / "log"), keys, None)):
        await until_published(ground.new_files, BEFORE + 2)
    checked = check_log(ground.new_files.read, keys.of(ground.new)[0].verifier())
    assert checked.checkpoint.size == BEFORE + 2
    assert decode(ground.ledger.stored()[BEFORE + 1][0]).type == "ledger.v1.LogSucceeded"
