"""Signatures by certificate leave the ledger as files that need nothing of it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from uuid import UUID

import click
import pytest

from ledger.api.v1.certificate_values_pb2 import RevocationEvidence
from ledger.api.v1.course_events_pb2 import EntryCertified
from ledger.cli.export.certified_files import certified_files, without_version
from ledger.cli.serve import certificate_trust
from ledger.config import load
from ledger.trust.envelope import FORMAT, Envelope, encode

pytestmark = pytest.mark.unit
ENTRY = UUID(int=5)


def _envelope(type_: str, version: int) -> bytes:
    parts = {"key_id": bytes(16), "body_sha256": bytes(32), "commitment": bytes(32)}
    place = Envelope(
        format=FORMAT,
        origin="ledger.example/north/1",
        stream_id=UUID("11112222-3333-4444-8000-000000000002").bytes,
        stream_version=version,
        type=type_,
        recorded_at=1,
        actor=b"",
        prev_leaf=bytes(32) if version > 1 else b"",
        **parts,
    )
    return encode(place)


def _certified(body: bytes) -> bytes:
    event = EntryCertified(entry_id=str(ENTRY), entry_version=2, cms=b"cms")
    event.signed_bytes = f"format\nbody {sha256(body).hexdigest()}\nview -\n".encode()
    event.evidence.append(RevocationEvidence(method="ocsp", der=b"good"))
    return event.SerializeToString()


def test_each_signature_lies_with_its_bytes_and_its_evidence() -> None:
    """By entry, version and event; other events make no file."""
    opened = {
        _envelope("ledger.v1.EntryRecorded", 1): b"what was recorded",
        _envelope("ledger.v1.EntryCertified", 2): _certified(b"what was recorded"),
    }
    name = f"{ENTRY}-v2-2"
    files = certified_files(opened)
    assert {each: files[each] for each in (f"{name}.cms", f"{name}.1.ocsp")} == {
        f"{name}.cms": b"cms",
        f"{name}.1.ocsp": b"good",
    }
    assert files.keys() == {f"{name}.cms", f"{name}.1.ocsp", f"{name}.signed"}
    assert without_version(opened) == []


def test_a_signature_over_another_body_than_the_records_is_named() -> None:
    """What is stored was changed, or belongs to another record: nobody is handed that as a proof."""
    opened = {
        _envelope("ledger.v1.EntryRecorded", 1): b"what was changed",
        _envelope("ledger.v1.EntryCertified", 2): _certified(b"what was recorded"),
    }
    assert without_version(opened) == [f"{ENTRY}-v2-2"]


def test_a_server_does_not_start_on_a_file_with_faults(tmp_path: Path) -> None:
    """Each fault is named with the setting; without the setting nobody's certificate counts."""
    file = tmp_path / "certificates.toml"
    file.write_text("[north]\nevidence_hours = 0\n")
    with pytest.raises(click.ClickException) as refused:
        certificate_trust(load({"LEDGER_CERTIFICATES": str(file)}))
    assert "LEDGER_CERTIFICATES" in refused.value.message
    assert "north.anchors" in refused.value.message
    assert "north.evidence_hours" in refused.value.message
    assert certificate_trust(load({})) == {}
