"""The operator's file: whose certificates sign is said there alone, and each fault of it is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.signatures.trust_file import TrustFileFault, read_trust
from tests.unit.signatures.authority import COLLEAGUE, DOCTOR, world

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the anchors lie."""
    for name, party in {"north.pem": world().root, "clock.pem": world().time_root}.items():
        (tmp_path / name).write_bytes(party.certificate.public_bytes(Encoding.PEM))
    return tmp_path


def _file(folder: Path, text: str) -> Path:
    file = folder / "certificates.toml"
    file.write_text(text)
    return file


def test_a_hospital_says_whom_it_trusts_and_whose_each_certificate_is(folder: Path) -> None:
    """Anchors and time anchors come from files beside it; a person may have several certificates."""
    own = world().doctor.sha256
    trust = read_trust(
        _file(
            folder,
            f"""
            [north]
            anchors = "north.pem"
            time_anchors = "clock.pem"
            time_token = "required"
            evidence_hours = 48
            [north.signers]
            "{DOCTOR}" = ["{own.hex()}", "{"00" * 32}"]
            """,
        )
    )["north"]
    assert trust.anchors == (world().root.certificate,)
    assert trust.time_anchors == (world().time_root.certificate,)
    assert trust.signers == {DOCTOR: frozenset({own, bytes(32)})}
    assert (trust.token_required, trust.evidence_age_max) == (True, timedelta(hours=48))


def test_every_fault_of_the_file_is_named(folder: Path) -> None:
    """Of every hospital, by its key; nothing of the file is used then."""
    text = f"""
    [north]
    anchor = "north.pem"
    time_token = "required"
    evidence_hours = true
    [north.signers]
    "Dr. Wu" = "{"00" * 32}"
    "{DOCTOR}" = ["{"11" * 32}"]
    "{COLLEAGUE}" = ["{"11" * 32}"]
    [south]
    anchors = "nowhere.pem"
    """
    with pytest.raises(TrustFileFault) as refused:
        read_trust(_file(folder, text))
    assert [each.partition(":")[0] for each in refused.value.faults] == [
        "north.anchor",
        "north.anchors",
        "north.time_token",
        "north.evidence_hours",
        "north.signers.Dr. Wu",
        f"north.signers.{COLLEAGUE}",
        "south.anchors",
        "south.anchors",
    ]


@pytest.mark.parametrize("text", ["[north", "north = 1", "\0", "#" * (1024 * 1024 + 1)])
def test_what_is_no_such_file_is_refused(folder: Path, text: str) -> None:
    """No TOML, no table, too large."""
    with pytest.raises(TrustFileFault):
        read_trust(_file(folder, text))
