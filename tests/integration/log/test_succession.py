"""Repair 2: where signed events are gone for good the log ends for ever, and a new one goes on from what is left."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from consumers.checkpoints import LogHasEnded, SeenCheckpoints
from ledger.api.v1 import common_pb2, events_pb2, records_pb2
from ledger.application.ledger import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli import succession
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.main import main
from ledger.cli.repair import repair
from ledger.config import Settings, load
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.signed_log import SignedLog
from ledger.log.fsck import check_log
from ledger.log.log_files import LogEndedForEver, LogFiles
from ledger.log.log_proofs import consistency_proof
from ledger.store.errors import LogEnded as OriginEnded
from ledger.store.whole_ledger import verify_stored
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.lineage import Succession
from ledger.trust.log_ended import check_log_ended
from ledger.trust.note import Note
from ledger.trust.note_key import SigningKey, VerifierKey
from ledger.trust.policy import NO_QUORUM, Peer, Policy
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.integration.log.conftest import Integrating, Publishing
from tests.integration.log.test_integrating import until_halted, until_published
from tests.services.key_files import key_settings

ADA = f"{uuid4()},Ada Example,records_office"
BEA = f"{uuid4()},Bea Example,physician"
PROGRAM = f"{uuid4()},ledger,system"
SIGNED, KEPT = 600, 500


@dataclass
class Ground:
    """A hospital whose log has signed 600 events, with the commands of this service beside it."""

    ledger: LoadedLedger
    environment: dict[str, str]
    folder: Path
    patient: str = ""

    @property
    def old(self) -> str:
        return f"{ORIGIN_PREFIX}/{self.ledger.hospital}/1"

    @property
    def new(self) -> str:
        return f"{ORIGIN_PREFIX}/{self.ledger.hospital}/2"

    @property
    def old_files(self) -> LogFiles:
        return LogFiles(DirectoryBlobs(self.folder / "log"), self.ledger.hospital)

    @property
    def new_files(self) -> LogFiles:
        return LogFiles(DirectoryBlobs(self.folder / "log"), f"{self.ledger.hospital}.2")

    @property
    def settings(self) -> Settings:
        return load(self.environment)

    async def repair(self, *arguments: str) -> Result:
        """The command has an event loop of its own."""
        given = [arguments[0], self.ledger.hospital, *arguments[1:]]
        return await asyncio.to_thread(lambda: CliRunner().invoke(repair, given, env=self.environment))

    async def succeed(self, *approvers: str) -> Result:
        options = [part for each in approvers or (ADA, BEA) for part in ("--approver", each)]
        return await self.repair("succeed", *options, "--reason", "STORAGE_LOST")

    @asynccontextmanager
    async def service(self) -> AsyncGenerator[Ledger]:
        async with bodies_with_keys(self.settings) as bodies:
            ledger = await Ledger.open(self.settings, bodies.sealer, bodies.opener)
            try:
                yield ledger
            finally:
                await ledger.close()

    def context(self) -> common_pb2.CommandContext:
        ident, name, role = BEA.split(",")
        actor = common_pb2.Actor(id=ident, name=name, role=role)
        return common_pb2.CommandContext(
            hospital=self.ledger.hospital, command_id=str(uuid4()), actor=actor, purpose="TREAT"
        )

    async def register(self, service: Ledger) -> str:
        """A patient, by the command."""
        request = records_pb2.RegisterPatientRequest(
            context=self.context(),
            case_number=f"C-{uuid4().hex[:8]}",
            identity=common_pb2.IDENTITY_STATUS_MATCHED,
            details=events_pb2.PatientDetails(name="Example", gender="unknown"),
        )
        return str((await service.execute("ledger.api.v1.PatientService/RegisterPatient", request)).record_id)

    async def amend(self, service: Ledger) -> int:
        """A change to the patient that was there before the loss; its position."""
        request = records_pb2.AmendPatientRequest(
            context=self.context(),
            patient_id=self.patient,
            details=events_pb2.PatientDetails(name=f"Example {uuid4().hex[:4]}", gender="female"),
            reason="a correction",
        )
        return (await service.execute("ledger.api.v1.PatientService/AmendPatient", request)).position

    def lose(self) -> None:
        """A backup is put back that is older than the log, and the log's bundles behind it are gone too."""
        self.put_older_back()
        self.lose_bundles()

    def put_older_back(self) -> None:
        self.ledger.cut(KEPT)
        self.ledger.forget_heads_above(KEPT)

    def lose_bundles(self) -> None:
        self.lose_last_bundle()
        for kind in ("tile/entries", "bodies"):
            (self.folder / "log" / self.ledger.hospital / kind / "001").unlink()

    def lose_last_bundle(self) -> None:
        for kind in ("tile/entries", "bodies"):
            shutil.rmtree(self.folder / "log" / self.ledger.hospital / kind / "002.p")


@pytest.fixture
async def ground(ledger: LoadedLedger, integrating: Integrating, tmp_path: Path) -> Ground:
    url = ledger.database.role_url
    environment = {
        "LEDGER_POSTGRES_APPEND_URL": url("ledger_append"),
        "LEDGER_POSTGRES_MIGRATE_URL": url("ledger_migrate"),
        "LEDGER_POSTGRES_STREAM_URL": url("ledger_stream"),
        "LEDGER_POSTGRES_KEYS_URL": url("ledger_keys"),
        "LEDGER_DATA_DIR": str(tmp_path),
        "LEDGER_ORIGIN_PREFIX": ORIGIN_PREFIX,
        "LEDGER_LOG_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        **key_settings(),
    }
    ground = Ground(ledger, environment, tmp_path)
    async with ground.service() as service:
        ground.patient = await ground.register(service)
    ledger.head = 1
    ledger.append(SIGNED - 1)
    async with integrating():
        await until_published(ground.old_files, SIGNED)
    return ground


@pytest.fixture
def old_key(ground: Ground, keys: LogKeys) -> SigningKey:
    """As somebody might have kept it."""
    return keys.of(ground.old)[0]


async def test_the_ledger_goes_on_under_a_new_origin(
    ground: Ground, integrating: Integrating, publishing: Publishing, old_key: SigningKey
) -> None:
    """Refill names what is missing; two persons give it up; commands and records go on, the old log is closed."""
    ground.put_older_back()
    async with integrating():
        await until_halted(ground.old_files)
    ground.lose_bundles()
    refused = await ground.repair("refill")
    assert (refused.exit_code, "entries/001: missing" in refused.output) == (1, True), refused.output
    done = await ground.succeed()
    assert done.exit_code == 0, done.output
    assert f"positions {KEPT + 1} to {SIGNED}" in done.output
    assert "refilled" in ground.new_files.halted()
    assert (await ground.repair("accept")).exit_code == 0
    async with integrating(), publishing(), ground.service() as service:
        assert await ground.amend(service) == KEPT + 2
        await until_published(ground.new_files, KEPT + 2)
    new_key = LogKeys(ground.folder / "keys", ground.folder / "passphrase", make=False).of(ground.new)[0].verifier()
    checked = check_log(ground.new_files.read, new_key)
    assert (checked.checkpoint.origin, checked.bodies) == (ground.new, KEPT + 2)
    stored = ground.ledger.stored()
    origins = [decode(stored[position][0]).origin for position in range(1, KEPT + 3)]
    assert origins == [ground.old] * KEPT + [ground.new] * 2
    assert decode(stored[KEPT + 1][0]).type == "ledger.v1.LogSucceeded"
    assert_never_signed_again(ground, old_key)
    await assert_verified(ground, old_key.verifier(), new_key)


def assert_never_signed_again(ground: Ground, old_key: SigningKey) -> None:
    """Neither by a program of ours nor with the key, which is put away and is not made anew."""
    with pytest.raises(LogEndedForEver):
        SignedLog(ground.old_files, ground.old, old_key)
    paths = sorted(path.name for path in (ground.folder / "keys").iterdir() if "verifiers" not in path.name)
    assert [name.endswith(".retired") for name in paths] == [True, False]
    note = ground.old_files.signed()
    assert note is not None
    assert parse_checkpoint(note.text).size == SIGNED


async def assert_verified(ground: Ground, old_key: VerifierKey, new_key: VerifierKey) -> None:
    """`ledger verify` passes, says where the log ended, and takes the old head for what it is once its end is shown."""
    url = ground.environment["LEDGER_POSTGRES_APPEND_URL"]
    found = await verify_stored(url, ground.ledger.hospital, processes=2, range_events=KEPT)
    assert isinstance(found, Summary)
    assert found.successions == (Succession(KEPT + 1, ground.old, ground.new),)
    policy = ground.folder / "policy"
    policy.write_text(f"log {old_key}\nlog {new_key}\nquorum none\n")
    logs = ground.folder / "log"
    named = ["verify", "ledger", ground.ledger.hospital, "--policy", str(policy)]
    old, new = logs / ground.ledger.hospital, logs / f"{ground.ledger.hospital}.2"
    heads = ["--checkpoint", str(old), "--checkpoint", str(new), "--ended", str(new / "succeeded")]
    said = await asyncio.to_thread(lambda: CliRunner().invoke(main, [*named, *heads], env=ground.environment))
    assert said.exit_code == 0, said.output
    assert f"{ground.old} ended at position {KEPT}" in said.output
    assert f"a head of {ground.old} at {SIGNED} events cannot be compared" in said.output.lower()
    shutil.copy(logs / ground.ledger.hospital / "checkpoint", ground.folder / "alone.checkpoint")
    alone = [*named, "--checkpoint", str(ground.folder / "alone.checkpoint")]
    said = await asyncio.to_thread(lambda: CliRunner().invoke(main, alone, env=ground.environment))
    assert said.exit_code == 1, said.output


async def test_a_receiver_is_told_that_the_log_has_ended(ground: Ground, old_key: SigningKey) -> None:
    """It keeps its last head, calls nothing a fork, and takes nothing newer under the old key, whoever has it."""
    policy = Policy((Peer(old_key.verifier()),), {}, {}, NO_QUORUM)
    seen = SeenCheckpoints(ground.folder / "seen", policy)
    before = ground.old_files.published()
    assert before is not None
    seen.accept(before, lambda old, size: consistency_proof(ground.old_files, old, size))
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    note = ground.new_files.succeeded()
    assert note is not None
    ended = seen.end(note)
    assert (ended.successor.name, list(ended.lost)) == (ground.new, list(range(KEPT + 1, SIGNED + 1)))
    newer = f"{ground.old}\n{SIGNED + 1}\n{before.text.splitlines()[2]}\n"
    forged = Note(newer, (old_key.sign(newer),))
    with pytest.raises(LogHasEnded):
        seen.accept(forged, lambda _old, _size: ())
    assert check_log_ended(note, (old_key.verifier(),)) == ended
    assert not list((ground.folder / "seen").glob("*/fork"))


@pytest.mark.parametrize(
    ("approvers", "said"),
    [((ADA, ADA), "NOT_TWO_PERSONS"), ((ADA,), "NOT_TWO_PERSONS"), ((ADA, PROGRAM), "NOT_A_PERSON")],
)
async def test_two_different_persons_approve(ground: Ground, approvers: tuple[str, ...], said: str) -> None:
    """Neither one person twice nor the system: nothing is closed then."""
    ground.lose()
    refused = await ground.succeed(*approvers)
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    assert ground.old_files.ended() is None


async def test_what_can_be_brought_back_is_not_given_up(ground: Ground) -> None:
    """A ledger that is not behind, or that refill could mend, keeps its log."""
    refused = await ground.succeed()
    assert (refused.exit_code, "NOTHING_LOST" in refused.output) == (1, True), refused.output
    ground.put_older_back()
    refused = await ground.succeed()
    assert (refused.exit_code, "refill" in refused.output) == (1, True), refused.output
    assert ground.old_files.ended() is None
    ground.lose_last_bundle()
    refused = await ground.succeed()
    assert (refused.exit_code, "positions 501 to 512 are not lost" in refused.output) == (1, True), refused.output
    assert ground.old_files.ended() is None
    ground.ledger.append(10)
    refused = await ground.succeed()
    assert (refused.exit_code, f"up to position {KEPT + 10}" in refused.output) == (1, True), refused.output


async def test_a_server_that_has_not_seen_it_appends_nothing(ground: Ground) -> None:
    """It still seals under the old origin: the database refuses, and the same command sent again is taken."""
    ground.lose()
    async with ground.service() as service:
        await service.head(ground.ledger.hospital)
        assert (await ground.succeed()).exit_code == 0
        with pytest.raises(OriginEnded):
            await ground.register(service)
        await service.hospitals()  # as the server looks every second
        await ground.register(service)
    assert len(ground.ledger.stored()) == KEPT + 2


@pytest.mark.parametrize("step", ["end_log", "hospitals", "succeed", "put_away"])
async def test_a_succession_that_is_broken_off_is_gone_on_with(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Wherever it breaks off, the next run comes to one end: one LogSucceeded, one successor, commands."""
    ground.lose()
    with monkeypatch.context() as broken:

        async def fail(*_: object, **__: object) -> None:
            raise OSError("broken off")

        def fail_at_once(*_: object, **__: object) -> None:
            raise OSError("broken off")

        where = {"end_log": succession, "put_away": succession.KeyFolder}.get(step, Ledger)
        broken.setattr(where, step, fail_at_once if step == "put_away" else fail)
        assert (await ground.succeed()).exit_code != 0
    assert "under way" in ground.new_files.halted()
    done = await ground.succeed()
    assert done.exit_code == 0, done.output
    assert ground.new_files.halted() == ""
    types = [decode(envelope).type for envelope, _ in ground.ledger.stored().values()]
    assert (len(types), types.count("ledger.v1.LogSucceeded")) == (KEPT + 1, 1)
    again = await ground.succeed()
    assert again.exit_code == 1, again.output
