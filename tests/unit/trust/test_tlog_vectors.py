"""The committed vectors of the transparency log's formats."""

from pathlib import Path

import pytest

from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.note import parse_note
from ledger.trust.note_key import parse_verifier_key
from ledger.trust.policy_file import parse_policy
from ledger.trust.sealed_key import parse_sealed_key, unseal_key
from ledger.trust.tile import BundleId
from ledger.trust.tlog_proof import check_tlog_proof, parse_tlog_proof
from ledger.trust.witness import Cosign, Known, witness_answer
from ledger.trust.witness_request import parse_add_checkpoint
from tests.unit.trust.make_tlog_vectors import ENTRIES, FOLDER, INDEX, OLD_SIZE, PASSPHRASE, SIZE, TIMES, vectors
from tests.unit.trust.tlog_samples import LEAVES, LOG, WITNESSES, root_at

WRITTEN = vectors()


def held(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", WRITTEN)
def test_golden_vector(name: str) -> None:
    """What this code writes is what was committed, byte for byte."""
    assert WRITTEN[name] == held(name)


def test_no_vector_is_left_over() -> None:
    """Every committed file is one that is compared."""
    assert {path.name for path in Path(FOLDER).iterdir()} == set(WRITTEN)


def test_golden_proof_holds() -> None:
    """The committed proof holds under the committed policy, and says when."""
    witnessed = check_tlog_proof(parse_tlog_proof(held("77.tlog-proof")), LEAVES[INDEX], parse_policy(held("policy")))
    assert (witnessed.checkpoint.size, witnessed.checkpoint.root) == (SIZE, root_at(SIZE))
    assert witnessed.proven_time == TIMES[1]
    assert parse_note(held("checkpoint")) == parse_tlog_proof(held("77.tlog-proof")).note


def test_golden_request_is_cosigned() -> None:
    """The committed request is one that a witness at the older size cosigns."""
    key = parse_verifier_key(held("log.vkey").decode().strip())
    asked = parse_add_checkpoint(held("add-checkpoint"))
    assert isinstance(witness_answer(asked, [key], Known(OLD_SIZE, root_at(OLD_SIZE))), Cosign)


def test_golden_bundles_and_keys_are_read() -> None:
    """The committed bundles and key file are read to what they were made from."""
    assert decode_entries(BundleId(0, 3), held("entries")) == ENTRIES
    assert decode_bodies(BundleId(0, 3), held("bodies")) == ENTRIES
    assert unseal_key(parse_sealed_key(held("log.note-key")), PASSPHRASE) == LOG
    keys = held("witnesses.vkeys").decode().splitlines()
    assert [parse_verifier_key(key) for key in keys] == [each.verifier() for each in WITNESSES]
