"""The verifier that a court's expert reads whole says what the product says, on whole files and on tampered ones."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import CheckpointFault, NoteFault, ProofFault, QuorumMissing, SignatureFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_tiles import LogTiles
from ledger.trust.merkle_check import root_from_inclusion
from ledger.trust.merkle_proof import plan_inclusion
from ledger.trust.pack_check import PackStatement, PackTrust, check_pack_file
from ledger.trust.pack_fault import PackRefused
from ledger.trust.tlog_proof import TlogProof, check_tlog_proof, parse_tlog_proof
from tests.unit.trust.sample_ledger import MONITOR, filled, policy, record_id
from tests.unit.trust.tlog_samples import LOG, POLICY
from verifier import verify as court

RECORD, OTHER = record_id(1), record_id(2)
TRUST = PackTrust(policy(), (MONITOR.verifier(),), 3600)
COURT_POLICY = court.policy_of(POLICY)
MONITORS = [court.key_of(str(MONITOR.verifier()))]
Verdict = tuple[str, int] | str


def packs() -> tuple[bytes, bytes]:
    """Packs of two records of one ledger, with events before and after the map."""
    ledger = filled(5, 33)
    published = ledger.publish_map()
    for number in (1, 2, 1):
        ledger.append(record_id(number))
    return ledger.pack(RECORD, published).encode(), ledger.pack(OTHER, published).encode()


PACK, OTHERS = packs()


def held_by_product(data: bytes) -> PackStatement | tuple[str, int]:
    try:
        return check_pack_file(data, TRUST)
    except PackRefused as refused:
        return refused.fault.name, refused.version


def by_product(data: bytes) -> Verdict:
    said = held_by_product(data)
    if isinstance(said, tuple):
        return said
    checkpoint = said.witnessed.checkpoint
    return (
        f"HOLDS record {said.record_id.hex()} events {len(said.envelopes)} complete-to-version {said.mapped_version} "
        f"map-size {said.map_size} tree-size {checkpoint.size} proven-time {said.witnessed.proven_time} "
        f"map-audit {','.join(said.audited_by) or 'none'}"
    )


def by_court(data: bytes) -> Verdict:
    try:
        return court.check_pack(data, COURT_POLICY, MONITORS, 3600)
    except court.Refused as refused:
        name, _, version = str(refused).partition(" at version ")
        return name, int(version or 0)


WHOLE = held_by_product(PACK)


def says_no_more(data: bytes) -> bool:
    """Whether what a tampered pack still shows is what the whole one shows, or less."""
    said = held_by_product(data)
    if isinstance(said, tuple):
        return True
    assert isinstance(WHOLE, PackStatement)
    return (
        (said.record_id, said.mapped_version, said.map_size, said.map_recorded_at)
        == (WHOLE.record_id, WHOLE.mapped_version, WHOLE.map_size, WHOLE.map_recorded_at)
        and said.envelopes == WHOLE.envelopes[: len(said.envelopes)]
        and said.witnessed.checkpoint == WHOLE.witnessed.checkpoint
        and (said.witnessed.proven_time or 0) >= (WHOLE.witnessed.proven_time or 0)
        and set(said.audited_by) <= set(WHOLE.audited_by)
        and (said.bodies, said.opened) <= (WHOLE.bodies, WHOLE.opened)
    )


def test_both_hold_the_whole_pack() -> None:
    """The same sentence, word for word."""
    assert by_product(PACK) == by_court(PACK)
    assert str(by_court(PACK)).startswith(f"HOLDS record {RECORD.hex()} events 9 complete-to-version 7 map-size 33")


def _flipped(data: bytes, at: int, bit: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]


@settings(deadline=None, max_examples=400)
@given(st.integers(0, len(PACK) - 1), st.integers(0, 7))
def test_every_flipped_bit(at: int, bit: int) -> None:
    """A flipped bit is refused, or leaves what is shown as it was or less; both verifiers say the same."""
    data = _flipped(PACK, at, bit)
    assert by_product(data) == by_court(data)
    assert says_no_more(data)


LINES = PACK.split(b"\n")
FOREIGN = OTHERS.split(b"\n")
_line = st.integers(0, len(LINES) - 1)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(["drop", "repeat", "swap", "foreign", "cut", "drop two"]), _line, _line)
@example("drop two", 28, 37)
def test_lines_dropped_repeated_swapped_or_from_another_pack(what: str, one: int, two: int) -> None:
    """Lines that are left out, doubled, exchanged, or taken from another record's pack show nothing else."""
    lines = list(LINES)
    match what:
        case "drop":
            del lines[one]
        case "drop two":
            lines = [line for at, line in enumerate(lines) if at not in (one, two)]
        case "repeat":
            lines.insert(two, lines[one])
        case "swap":
            lines[one], lines[two] = lines[two], lines[one]
        case "foreign":
            lines[one] = FOREIGN[two % len(FOREIGN)]
        case _:
            lines = lines[:one]
    data = b"\n".join(lines)
    assert by_product(data) == by_court(data)
    assert says_no_more(data)


def proof_file(index: int) -> tuple[bytes, bytes]:
    """A .tlog-proof of an event and the event's envelope."""
    ledger = filled(5, 33)
    ledger.integrate()
    hashes = LogTiles(ledger.reader(), 33).inclusion(index)
    return TlogProof(index, hashes, ledger.checkpoint()).encode(), ledger.events[index].event.envelope


PROOF, ENTRY = proof_file(17)
NAMES = {
    ProofFault: "FORM", NoteFault: "FORM", SignatureFault: "CHECKPOINT", CheckpointFault: "CHECKPOINT",
    QuorumMissing: "QUORUM",
}  # fmt: skip


def proof_by_product(data: bytes) -> str:
    try:
        proof = parse_tlog_proof(data)
    except (ProofFault, NoteFault):
        return "FORM"
    try:
        witnessed = check_tlog_proof(proof, leaf_hash(ENTRY), policy())
    except ProofFault:
        return "INCLUSION"
    except (SignatureFault, CheckpointFault, QuorumMissing) as fault:
        return NAMES[type(fault)]
    return f"HOLDS index {proof.index} tree-size {witnessed.checkpoint.size} proven-time {witnessed.proven_time}"


def proof_by_court(data: bytes) -> str:
    try:
        return court.check_proof(data, ENTRY, COURT_POLICY)
    except court.Refused as refused:
        return str(refused)


@settings(deadline=None, max_examples=400)
@given(st.integers(0, len(PROOF) - 1), st.integers(0, 7), st.booleans())
def test_tlog_proofs(at: int, bit: int, cut: bool) -> None:
    """Proof files of single events: the same verdict on whole, bent and cut ones."""
    assert proof_by_court(PROOF) == proof_by_product(PROOF)
    assert proof_by_court(PROOF).startswith("HOLDS index 17")
    data = PROOF[:at] if cut else _flipped(PROOF, at, bit)
    assert proof_by_court(data) == proof_by_product(data)


def test_a_map_of_the_future() -> None:
    """Recorded more than some minutes after the witnesses saw it: both refuse it, whether an age was asked or not."""
    ledger = filled(5, 600)
    ahead = ledger.pack(RECORD, ledger.publish_map()).encode()
    assert by_product(ahead) == by_court(ahead) == ("STALE_MAP", 0)


def test_commitment_and_key_come_together() -> None:
    """An envelope with one of the two is none, for either."""
    whole = decode(ENTRY)
    for field in (b"\x42\x10" + whole.key_id, b"\x52\x20" + whole.commitment):
        assert field in ENTRY
        data = ENTRY.replace(field, b"")
        with pytest.raises(EnvelopeFault):
            decode(data)
        with pytest.raises(court.Refused, match="ENVELOPE"):
            court.Event(data, b"", b"", b"").envelope(whole.origin)


def test_it_runs_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0 with the statement, 1 with the fault's name, 2 for a key that is none or a missing file."""
    pack, bent, entry, proof, rules = (tmp_path / each for each in ("pack", "bent", "entry", "proof", "policy"))
    pack.write_bytes(PACK)
    bent.write_bytes(b"\n".join(LINES[:2] + LINES[5:]))
    entry.write_bytes(ENTRY)
    proof.write_bytes(PROOF)
    rules.write_bytes(POLICY)
    key = str(LOG.verifier())
    monitor = ["--monitor", str(MONITOR.verifier())]
    names, bells = tmp_path / "names", tmp_path / "bells"
    names.write_bytes(b"# \xff\n" + POLICY)
    bells.write_bytes(b"# \x07\n" + POLICY)
    bad = tmp_path / "bad"
    bad.write_bytes(b"log \xff+00000000+AAAA\nquorum none\n")
    runs = [
        (["pack", str(pack), "--key", key, "--map-age", "3600"], 1, "REFUSED STALE_MAP"),
        (["pack", str(pack), "--policy", str(names)], 0, "HOLDS"),
        (["pack", str(pack), "--policy", str(bells)], 2, "REFUSED POLICY"),
        (["pack", str(pack), "--policy", str(bad)], 2, "REFUSED"),
        (["pack", str(pack), "--key", key], 0, "proven-time none map-audit none"),
        (["pack", str(pack), "--policy", str(rules), *monitor], 0, f"map-audit {MONITOR.name}"),
        (["pack", str(bent), "--key", key], 1, "REFUSED VERSION at version 1"),
        (["pack", str(pack), "--key", str(MONITOR.verifier())], 1, "REFUSED CHECKPOINT"),
        (["pack", str(pack), "--key", key[:-4]], 2, "REFUSED KEY"),
        (["pack", str(pack)], 2, "REFUSED KEY"),
        (["pack", str(tmp_path / "none"), "--key", key], 2, "UNREADABLE"),
        (["proof", str(proof), "--entry", str(entry), "--policy", str(rules)], 0, "HOLDS index 17 tree-size 33"),
        (["proof", str(proof), "--policy", str(rules)], 2, "REFUSED ENTRY"),
        (["proof", str(proof), "--entry", str(pack), "--key", key], 1, "REFUSED INCLUSION"),
    ]
    for arguments, status, words in runs:
        assert court.main(arguments) == status
        assert words in capsys.readouterr().out


def test_it_stands_alone() -> None:
    """Nothing but the standard library and `cryptography`."""
    tree = ast.parse(Path(court.__file__).read_text())
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "cryptography"}


def test_it_can_be_read_whole() -> None:
    """Under 400 lines with all explanations and the empty ones, no function above 32: read in an hour."""
    text = Path(court.__file__).read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert len(text.splitlines()) < 400
    assert max((each.end_lineno or 0) - each.lineno + 1 for each in functions) <= 32


@settings(deadline=None, max_examples=400)
@given(st.integers(1, 1 << 62), st.integers(0, 1 << 62), st.integers(-2, 2))
@example(1, 0, 0)
def test_audit_paths(size: int, index: int, more: int) -> None:
    """Of paths of the right length, shorter and longer ones: both verifiers come to the same root, or to none."""
    leaf, index = leaf_hash(b"a leaf"), index % (size + 1)
    length = (len(plan_inclusion(index, size).parts) if index < size else 10) + more
    path = [leaf_hash(b"%d" % at) for at in range(length)]
    try:
        root = root_from_inclusion(leaf, index, size, path)
    except ProofFault:
        assert index == size or more != 0
        assert not court.Checkpoint("", size, bytes(32), None).covers(leaf, court.Place(index, path))
        return
    assert court.Checkpoint("", size, root, None).covers(leaf, court.Place(index, path))
    assert not court.Checkpoint("", size, bytes(32), None).covers(leaf, court.Place(index, path))
