"""Our logs pass Go's verifiers and transparency-dev's tools, and theirs pass ours."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from pathlib import Path
from typing import TypedDict

import pytest

from ledger.trust.bundle import decode_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.merkle_check import check_consistency
from ledger.trust.note import Note, parse_note, parse_signatures
from ledger.trust.note_key import parse_verifier_key
from ledger.trust.policy_file import parse_policy
from ledger.trust.signed_note import check_signed
from ledger.trust.tile import new_bundles
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tlog_proof import check_tlog_proof, parse_tlog_proof
from ledger.trust.witness import Conflict, Cosign, Known, Refusal, Refused, claimed_origin, witness_answer
from ledger.trust.witness_request import AddCheckpoint, parse_add_checkpoint
from tests.interop.conftest import Interop
from tests.interop.log_folder import LOG, PROVEN, SIZES, STRANGER, OurLog, envelopes, stored_tile_paths
from tests.unit.trust.tlog_samples import WITNESSES


class History(TypedDict):
    """One line of consistency.json; hashes are base64, and Go writes null for none."""

    old_size: int
    old_root: str
    hashes: list[str] | None


pytestmark = pytest.mark.timeout(300)  # the first build compiles the Go modules


@pytest.fixture(scope="module")
def our_log(tmp_path_factory: pytest.TempPathFactory) -> OurLog:
    return OurLog(tmp_path_factory.mktemp("ours"), envelopes(SIZES[-1]))


def test_our_log_passes_theirs(interop: Interop, our_log: OurLog) -> None:
    """Tiles, entries, checkpoint, cosignatures, policy, inclusion and consistency proofs all hold for Go."""
    checked = interop("check", our_log.folder)
    assert checked.returncode == 0, checked.stderr
    assert f"Successfully fsck'd log with size {SIZES[-1]}" in checked.stderr
    assert checked.stdout == f"{SIZES[-1]} leaves, {len(PROVEN)} proofs, {len(SIZES)} older sizes\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("checkpoint", "checkpoint"),
        ("tile/0/005", "fsck"),
        ("tile/1/000", "fsck"),
        ("tile/2/000.p/1", "fsck"),
        ("tile/entries/017", "fsck"),
        ("256.tlog-proof", "256.tlog-proof"),
        ("consistency.json", "consistency"),
    ],
)
def test_a_changed_log_does_not_pass_theirs(
    interop: Interop, our_log: OurLog, tmp_path: Path, name: str, said: str
) -> None:
    """The checks can fail: one letter or byte changed in the middle of a file, and they say where."""
    folder = tmp_path / "changed"
    shutil.copytree(our_log.folder, folder)
    data = (folder / name).read_bytes()
    at = len(data) // 2
    (folder / name).write_bytes(data[:at] + (b"B" if data[at : at + 1] != b"B" else b"C") + data[at + 1 :])
    checked = interop("check", folder)
    assert checked.returncode == 1
    assert said in checked.stderr


def test_missing_cosignatures_do_not_pass_theirs(interop: Interop, our_log: OurLog, tmp_path: Path) -> None:
    """Without the quorum of our policy file its own reader of policies refuses the checkpoint."""
    folder = tmp_path / "changed"
    shutil.copytree(our_log.folder, folder)
    (folder / "checkpoint").write_bytes(Note(our_log.note.text, our_log.note.signatures[:3]).encode())
    checked = interop("check", folder)
    assert checked.returncode == 1
    assert "the policy is not satisfied" in checked.stderr


def test_their_log_passes_ours(interop: Interop, tmp_path: Path) -> None:
    """A log that Go wrote is rebuilt tile by tile, and its checkpoint, cosignatures and proofs hold for us."""
    made = interop("make", tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    policy = parse_policy((tmp_path / "policy").read_bytes())
    witnessed = policy.accept(parse_note((tmp_path / "checkpoint").read_bytes()))
    checkpoint = witnessed.checkpoint
    assert witnessed.proven_time == max(witnessed.times.values())
    assert set(witnessed.times) == {"w1", "w2"}

    leaves: list[bytes] = []
    for bundle in new_bundles(0, checkpoint.size):
        leaves += map(leaf_hash, decode_entries(bundle, (tmp_path / bundle.entries_path).read_bytes()))
    growth = TileGrowth()
    tiles = [*growth.extend(leaves), *growth.edge()]
    assert growth.root() == checkpoint.root
    assert sorted(tile.id.path for tile in tiles) == stored_tile_paths(tmp_path)
    assert all((tmp_path / tile.id.path).read_bytes() == tile.data for tile in tiles)

    files = sorted(tmp_path.glob("*.tlog-proof"))
    assert len(files) == 5
    for file in files:
        proof = parse_tlog_proof(file.read_bytes())
        assert proof.encode() == file.read_bytes()
        assert check_tlog_proof(proof, leaves[proof.index], policy) == witnessed
        with pytest.raises(FormatFault):
            check_tlog_proof(proof, leaves[proof.index - 1], policy)
    histories: list[History] = json.loads((tmp_path / "consistency.json").read_text())
    for old in histories:
        frontier = Frontier()
        frontier.extend(leaves[: old["old_size"]])
        assert frontier.root() == b64decode(old["old_root"])
        hashes = [b64decode(each) for each in old["hashes"] or []]
        check_consistency(old["old_size"], checkpoint.size, hashes, frontier.root(), checkpoint.root)


def test_our_witness_cosigns_a_log_of_theirs(interop: Interop, tmp_path: Path) -> None:
    """From every older size to which their log proves its growth, by their own proof; not from another root."""
    assert interop("make", tmp_path).returncode == 0
    policy = parse_policy((tmp_path / "policy").read_bytes())
    note = parse_note((tmp_path / "checkpoint").read_bytes())
    keys = [log.key for log in policy.logs]
    histories: list[History] = json.loads((tmp_path / "consistency.json").read_text())
    for old in histories:
        proof = tuple(b64decode(each) for each in old["hashes"] or [])
        request = parse_add_checkpoint(AddCheckpoint(old["old_size"], proof, note).encode())
        assert claimed_origin(request) == keys[0].name
        answer = witness_answer(request, keys, Known(old["old_size"], b64decode(old["old_root"])))
        assert answer == Cosign(policy.accept(note).checkpoint)
        forked = witness_answer(request, keys, Known(old["old_size"], bytes(32)))
        assert isinstance(forked, Refused)
        assert forked.refusal is Refusal.INCONSISTENT
        line = WITNESSES[0].cosign(request.note.text, 100)
        assert check_signed(note.signed_also(line), [WITNESSES[0].verifier()]) == {WITNESSES[0].verifier(): 100}


def test_an_independent_witness_answers_as_ours(interop: Interop, our_log: OurLog, tmp_path: Path) -> None:
    """Asked the same in the same order, transparency-dev's witness and ours answer with the same status and body,
    but for one status that is named below.

    Its cosignatures hold for us.
    """
    requests = _requests(our_log)
    for number, request in enumerate(requests):
        path = tmp_path / "requests" / f"{number:03}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(request.encode())
    (tmp_path / "log.vkey").write_text(str(LOG.verifier()))
    assert interop("witness", tmp_path).returncode == 0
    answers = json.loads((tmp_path / "answers.json").read_text())
    witness = parse_verifier_key((tmp_path / "witness.vkey").read_text())
    known = Known()
    for request, answer in zip(requests, answers, strict=True):
        match witness_answer(request, [LOG.verifier()], known):
            case Cosign(checkpoint):
                assert answer["status"] == 200
                cosigned = Note(request.note.text, parse_signatures(answer["body"]))
                assert check_signed(cosigned, [witness])[witness] > 0
                known = Known(checkpoint.size, checkpoint.root)
            case Conflict() as conflict:
                assert (answer["status"], answer["body"].encode()) == (409, conflict.body)
                assert answer["content_type"] == "text/x.tlog.size"
            case Refused(refusal):
                # That witness answers 500 where no trusted key signed; the specification says 403, as ours.
                assert answer["status"] == (500 if refusal is Refusal.UNTRUSTED else refusal)
    assert [answer["status"] for answer in answers] == [200, 200, 409, 409, 422, 422, 422, 400, 500, 200]


def _requests(our_log: OurLog) -> list[AddCheckpoint]:
    """A log that grows, and every way in which it may not."""

    def signed(size: int, root: bytes | None = None) -> Note:
        text = Checkpoint(LOG.name, size, root or our_log.root_at(size)).text()
        return Note(text).signed_also(LOG.sign(text))

    grown = AddCheckpoint(300, our_log.consistency(300, 1000), signed(1000))
    return [
        AddCheckpoint(0, (), signed(255)),
        AddCheckpoint(255, our_log.consistency(255, 300), signed(300)),
        AddCheckpoint(0, (), signed(1000)),
        AddCheckpoint(299, our_log.consistency(299, 1000), signed(1000)),
        AddCheckpoint(300, our_log.consistency(300, 1000)[:-1], signed(1000)),
        AddCheckpoint(300, our_log.consistency(300, 1000), signed(1000, bytes(32))),
        AddCheckpoint(300, (), signed(300, bytes(32))),
        AddCheckpoint(300, (), signed(255)),
        AddCheckpoint(300, grown.proof, Note(grown.note.text).signed_also(STRANGER.sign(grown.note.text))),
        grown,
    ]
