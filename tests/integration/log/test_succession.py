"""Repair 2: where signed events are gone for good the log ends for ever, and a new one goes on from what is left."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial

import pytest
from click.testing import CliRunner

from consumers.checkpoints import LogHasEnded, SeenCheckpoints, SucceedingLog
from ledger.application.ledger import Ledger
from ledger.cli import succession
from ledger.cli.main import main
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.signed_log import SignedLog
from ledger.keys.key_folder import KeyFolder
from ledger.log.fsck import check_log
from ledger.log.log_files import LogEndedForEver
from ledger.log.log_proofs import consistency_proof
from ledger.log.signed_history import root_within
from ledger.store.errors import LogEnded as OriginEnded
from ledger.store.whole_ledger import verify_stored
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.lineage import Succession
from ledger.trust.log_ended import check_log_ended
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey
from ledger.trust.policy import NO_QUORUM, Peer, Policy
from ledger.trust.verify import Summary
from ledger.trust.witness_request import AddCheckpoint
from tests.integration.log.conftest import Integrating, Publishing
from tests.integration.log.succession_ground import ADA, KEPT, PROGRAM, SIGNED, Ground
from tests.integration.log.waiting import until_halted, until_published
from tests.services.witness import WitnessProcess


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
    assert ground.new_files.halted() == "", "nothing was refilled, so nothing is to be accepted"
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


async def test_a_receiver_is_told_that_the_log_has_ended(
    ground: Ground, integrating: Integrating, publishing: Publishing, old_key: SigningKey
) -> None:
    """It keeps its last head, calls nothing a fork, and takes nothing newer under the old key, whoever has it."""
    policy = Policy((Peer(old_key.verifier()),), {}, {}, NO_QUORUM)
    seen = SeenCheckpoints(ground.folder / "seen", policy)
    before = ground.old_files.published()
    assert before is not None
    seen.accept(before, lambda old, size: consistency_proof(ground.old_files, old, size))
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    async with integrating(), publishing():
        await until_published(ground.new_files, KEPT + 1)
    note, head = ground.new_files.succeeded(), ground.new_files.published()
    assert note is not None
    assert head is not None
    proofs = (partial(consistency_proof, ground.new_files), partial(consistency_proof, ground.old_files))
    ended = seen.end(SucceedingLog(note, head, *proofs))
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


async def test_what_was_refilled_in_part_is_to_be_accepted_after_the_end(ground: Ground) -> None:
    """What the bundles still have comes back first, without its reservations: the end of the log does not hide that."""
    ground.put_older_back()
    ground.lose_last_bundle()
    refused = await ground.repair("refill")
    assert (refused.exit_code, "entries/002.p/88: missing" in refused.output) == (1, True), refused.output
    assert (await ground.succeed()).exit_code == 0
    assert "positions 501 to 512 are refilled" in ground.new_files.halted()
    assert (await ground.repair("accept")).exit_code == 0
    async with ground.service() as service:
        assert await ground.amend(service) == 514


async def test_what_only_somebody_remembers_is_given_up_by_name(ground: Ground, old_key: SigningKey) -> None:
    """The log's own files know of no more than the ledger: a head that was kept says how much is lost, or two persons
    do where a witness says a number alone. Nothing less, and no head of another log, ends it."""
    grown = Checkpoint(ground.old, SIGNED + 50, bytes(32)).text()
    kept = ground.folder / "kept.checkpoint"
    kept.write_bytes(Note(grown, (old_key.sign(grown),)).encode())
    refused = await ground.succeed()
    assert (refused.exit_code, "NOTHING_LOST" in refused.output) == (1, True), refused.output
    refused = await ground.succeed(options=("--checkpoint", str(kept)))
    assert "--checkpoint needs --key or --policy" in refused.output
    named = ("--checkpoint", str(kept), "--key", str(old_key.verifier()), "--lost-to", str(SIGNED + 60))
    refused = await ground.succeed(options=named)
    assert (refused.exit_code, "no witness of the policy has cosigned it" in refused.output) == (1, True)
    assert ground.old_files.ended() is None
    done = await ground.succeed(options=(*named, "--unproven"))
    assert done.exit_code == 0, done.output
    assert f"positions {SIGNED + 1} to {SIGNED + 60}" in done.output
    note = ground.new_files.succeeded()
    assert note is not None
    ended = check_log_ended(note, (old_key.verifier(),))
    assert (ended.last.text(), ended.surviving, ended.claimed) == (grown, SIGNED, SIGNED + 60)
    assert (ended.reason, ended.unproven) == ("STORAGE_LOST", True), "every receiver reads that persons alone say it"
    async with ground.service() as service:
        assert await ground.amend(service) == SIGNED + 2


async def test_a_head_that_a_witness_cosigned_needs_nobodys_word(ground: Ground, old_key: SigningKey) -> None:
    """It lies beyond all that is left, but somebody else has compared it with what came before."""
    grown = Checkpoint(ground.old, SIGNED + 50, bytes(32)).text()
    witness = SigningKey("witness.test/w", KeyKind.COSIGNATURE, bytes(range(32)))
    kept, policy = ground.folder / "kept.checkpoint", ground.folder / "policy"
    kept.write_bytes(Note(grown, (old_key.sign(grown), witness.cosign(grown, 1_790_000_000))).encode())
    policy.write_text(f"log {old_key.verifier()}\nwitness w {witness.verifier()}\nquorum w\n")
    done = await ground.succeed(options=("--checkpoint", str(kept), "--policy", str(policy)))
    assert done.exit_code == 0, done.output
    note = ground.new_files.succeeded()
    assert note is not None
    assert check_log_ended(note, (old_key.verifier(),)).unproven is False


async def test_what_a_restore_has_seen_is_given_up_too(ground: Ground) -> None:
    """A number that a witness or the topic said is kept beside the log: the end covers it, or is refused."""
    ground.lose()
    ground.old_files.note_known(SIGNED + 7)
    refused = await ground.succeed()
    assert (refused.exit_code, f"--lost-to {SIGNED + 7}" in refused.output) == (1, True), refused.output
    assert ground.old_files.ended() is None
    done = await ground.succeed(options=("--lost-to", str(SIGNED + 7)))
    assert done.exit_code == 0, done.output


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

        where = {"end_log": succession, "put_away": KeyFolder}.get(step, Ledger)
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


@pytest.mark.parametrize("size", [KEPT - 1, KEPT + 50, SIGNED])
async def test_a_kept_head_of_another_history_is_not_given_up(ground: Ground, old_key: SigningKey, size: int) -> None:
    """Whether it covers what is left, what is lost, or all that was signed: it is held against all that remains."""
    ground.lose()
    right = root_within(ground.old_files, parse_checkpoint((ground.old_files.signed() or Note("", ())).text), size)
    kept, options = ground.folder / "kept.checkpoint", ("--key", str(old_key.verifier()))
    for root, refusal in ((bytes(32), f"Compared up to position {size}"), (right, "NOT_TWO_PERSONS")):
        text = Checkpoint(ground.old, size, root).text()
        kept.write_bytes(Note(text, (old_key.sign(text),)).encode())
        refused = await ground.succeed(ADA, options=("--checkpoint", str(kept), *options))
        assert (refused.exit_code, refusal in refused.output) == (1, True), refused.output
    assert ground.old_files.ended() is None


async def test_witnesses_are_asked_before_anything_is_given_up(ground: Ground, old_key: SigningKey) -> None:
    """One that has cosigned more than is given up is believed where no quorum vouches for less: the end cannot be made
    larger afterwards, so persons give that much up by name. One that is away is named, and missing to the quorum."""
    grown = Checkpoint(ground.old, SIGNED + 50, bytes(32)).text()
    knows, away = (
        WitnessProcess(ground.folder / name, f"witness.test/{name}", [old_key.verifier()]) for name in ("knows", "away")
    )
    policy = f"witness knows {knows.key} {knows.url}\nwitness away {away.key} {away.url}\n"
    (ground.folder / "policy").write_text(f"{policy}group all 2 knows away\nquorum all\n")
    ground.environment["LEDGER_LOG_POLICY"] = str(ground.folder / "policy")
    ground.lose()
    knows.start()
    try:
        assert knows.add(AddCheckpoint(0, (), Note(grown, (old_key.sign(grown),)))).status_code == 200
        refused = await ground.succeed()
        assert (refused.exit_code, f"--lost-to {SIGNED + 50}" in refused.output) == (1, True), refused.output
        assert "witness away could not be asked" in refused.output
        assert ground.old_files.ended() is None
        lost_to = ("--lost-to", str(SIGNED + 50))
        refused = await ground.succeed(options=lost_to)
        assert (refused.exit_code, "1 of 2 witnesses answer" in refused.output) == (1, True), refused.output
        assert ground.old_files.ended() is None
        done = await ground.succeed(options=(*lost_to, "--unwitnessed"))
    finally:
        knows.stop()
    assert done.exit_code == 0, done.output
    assert f"positions {KEPT + 1} to {SIGNED + 50}" in done.output
    assert unwitnessed(ground, old_key)


def unwitnessed(ground: Ground, old_key: SigningKey) -> bool:
    """What the end says, under its own keys, wherever anybody reads it."""
    note = ground.new_files.succeeded()
    assert note is not None
    return check_log_ended(note, (old_key.verifier(),)).unwitnessed


@pytest.mark.parametrize("quorum", ["2", "any"])
async def test_with_every_witness_away_two_persons_end_a_log_by_name(
    ground: Ground, old_key: SigningKey, quorum: str
) -> None:
    """Nobody could say that more was published, and an end is for ever: it takes their explicit word, which the end
    keeps. Where a quorum answers, the word changes nothing and is not kept."""
    names = ("a", "b", "c")
    away = [WitnessProcess(ground.folder / each, f"witness.test/{each}", [old_key.verifier()]) for each in names]
    lines = [f"witness {name} {each.key} {each.url}\n" for name, each in zip(names, away, strict=True)]
    (ground.folder / "policy").write_text(f"{''.join(lines)}group all {quorum} a b c\nquorum all\n")
    ground.environment["LEDGER_LOG_POLICY"] = str(ground.folder / "policy")
    ground.lose()
    refused = await ground.succeed()
    assert (refused.exit_code, "0 of 3 witnesses answer" in refused.output) == (1, True), refused.output
    assert (ground.old_files.ended(), ground.new_files.succeeded()) == (None, None)
    if quorum == "any":
        away[0].start()
    try:
        done = await ground.succeed(options=("--unwitnessed",))
    finally:
        if quorum == "any":
            away[0].stop()
    assert (done.exit_code, unwitnessed(ground, old_key)) == (0, quorum != "any"), done.output


async def test_only_a_key_that_signed_the_log_ends_it(ground: Ground, old_key: SigningKey) -> None:
    """Its key is lost, or another was put in its place: refused before anything is written, and no key is made."""
    ground.lose()
    folder = KeyFolder(ground.folder / "keys")
    path = folder.path_of(ground.old, KeyKind.ED25519)
    path.rename(path.with_name("kept"))
    refused = await ground.succeed()
    assert (refused.exit_code, "missing or cannot be opened" in refused.output) == (1, True), refused.output
    folder.make(ground.old, KeyKind.ED25519, (ground.folder / "passphrase").read_bytes().strip(), cost=14)
    refused = await ground.succeed()
    assert (refused.exit_code, "has not signed the last head" in refused.output) == (1, True), refused.output
    assert (ground.old_files.ended(), ground.new_files.succeeded(), ground.new_files.halted()) == (None, None, "")
    assert folder.paths() == [path]
    path.unlink()
    path.with_name("kept").rename(path)
    assert (await ground.succeed()).exit_code == 0
    note = ground.new_files.succeeded()
    assert note is not None
    check_log_ended(note, (old_key.verifier(),))
