"""`.tlog-proof` files."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.format_fault import FormatFault, NoteFault, ProofFault, QuorumMissing
from ledger.trust.merkle_proof import plan_inclusion
from ledger.trust.policy_file import parse_policy
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes
from ledger.trust.tlog_proof import PROOF_BYTES_MAX, TlogProof, check_tlog_proof, parse_tlog_proof
from tests.unit.trust.tlog_samples import LEAVES, POLICY, signed

TIMES = (1_700_000_001, 1_700_000_002)


def proof_of(index: int, size: int = 200, extra: bytes = b"") -> TlogProof:
    growth = TileGrowth()
    growth.extend(LEAVES[:size])
    hashes = plan_inclusion(index, size).proof(TileHashes(size, dict(growth.edge())).node)
    return TlogProof(index, hashes, signed(size, *TIMES), extra)


FILE = proof_of(77, extra=b"beside").encode()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.data(), st.binary(max_size=5))
def test_proofs_come_back_and_hold(size: int, data: st.DataObject, extra: bytes) -> None:
    """A proof file comes back as written and proves its leaf, and no other."""
    index = data.draw(st.integers(0, size - 1))
    proof = parse_tlog_proof(proof_of(index, size, extra).encode())
    assert proof == proof_of(index, size, extra)
    witnessed = check_tlog_proof(proof, LEAVES[index], parse_policy(POLICY))
    assert (witnessed.checkpoint.size, witnessed.proven_time) == (size, TIMES[1])
    with pytest.raises(ProofFault):
        check_tlog_proof(proof, LEAVES[index + 1], parse_policy(POLICY))


def test_the_file_s_lines() -> None:
    """Header, extra data, index, hashes, an empty line, the checkpoint."""
    head, _, note = FILE.partition(b"\n\n")
    assert head.split(b"\n")[:3] == [b"c2sp.org/tlog-proof@v1", b"extra YmVzaWRl", b"index 77"]
    assert len(head.split(b"\n")) == 3 + 8
    assert note == signed(200, *TIMES).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", FILE.replace(b"@v1", b"@v2"), FILE.replace(b"index 77\n", b""), FILE.replace(b"index 77", b"index 077"),
        FILE.replace(b"index 77", b"index -7"), FILE.replace(b"index 77", b"index  77"), FILE.replace(b"YmVzaWRl", b""),
        FILE.replace(b"YmVzaWRl", b"YmVzaWR"), FILE.replace(b"index 77", b"index 77\nAAAA"), FILE[10:],
        FILE.replace(b"extra YmVzaWRl\nindex 77", b"index 77\nextra YmVzaWRl"), FILE.replace(b"\n", b"\r\n"),
        FILE.replace(b"index 77", b"index 77\n" + b"\n".join([b"A" * 43 + b"="] * 60)), bytes(PROOF_BYTES_MAX + 1),
        FILE.split(b"\n\n", maxsplit=1)[0], "é".encode() + FILE,
    ],
)  # fmt: skip
def test_no_proof_file(data: bytes) -> None:
    """Other headers, spellings, orders of lines, and more hashes than a tree has levels are refused."""
    with pytest.raises(ProofFault):
        parse_tlog_proof(data)


def test_cut_short() -> None:
    """A file that was cut anywhere is refused, by itself or by what is missing from its quorum."""
    for end in range(len(FILE)):
        with pytest.raises(FormatFault):
            check_tlog_proof(parse_tlog_proof(FILE[:end]), LEAVES[77], parse_policy(POLICY))
    with pytest.raises(NoteFault):
        parse_tlog_proof(FILE[:-1])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(FILE) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_refused_or_proves_nothing_else(at: int, bit: int) -> None:
    """With a bit flipped a file is refused; only in the data beside the proof, not proven, may it stand."""
    flipped = FILE[:at] + bytes((FILE[at] ^ 1 << bit,)) + FILE[at + 1 :]
    try:
        proof = parse_tlog_proof(flipped)
        check_tlog_proof(proof, LEAVES[77], parse_policy(POLICY))
    except FormatFault:
        return
    assert replace(proof, extra=b"beside") == parse_tlog_proof(FILE)
    assert proof.extra != b"beside"


def test_other_indexes_and_missing_cosignatures() -> None:
    """Another index, an index beyond the tree, and a checkpoint without its quorum prove nothing."""
    policy, proof = parse_policy(POLICY), proof_of(77)
    for index in (76, 200, 2**63 - 1):
        with pytest.raises(ProofFault):
            check_tlog_proof(replace(proof, index=index), LEAVES[77], policy)
    with pytest.raises(QuorumMissing):
        check_tlog_proof(replace(proof, note=signed(200, TIMES[0])), LEAVES[77], policy)


def test_size_of_a_proof() -> None:
    """One event in a ledger of ten million with three cosignatures takes less than 2 KB."""
    hashes = tuple(LEAVES[:24])  # a tree of 10^7 leaves has 24 levels
    assert len(TlogProof(9_999_999, hashes, signed(200, 1, 2, 3)).encode()) < 2000
