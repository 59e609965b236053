"""A hospital's log as the other one is shown it: of the events that it has stored, or of others."""

from __future__ import annotations

from pathlib import Path

from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.senders_trust import senders_policy
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.trust.envelope import decode
from ledger.trust.note_key import KeyKind, SigningKey
from tests.integration.consumers.hospitals import Hospitals
from tests.unit.trust.tlog_samples import WITNESSES, key


class NorthsLog:
    """Files in a folder that is served below a URL; every tree is signed by the same key."""

    def __init__(self, hospitals: Hospitals, folder: Path, url: str, hospital: str = "north") -> None:
        self._hospital = hospital
        self._hospitals = hospitals
        self._folder = folder
        self._trees = 0
        self.url = f"{url}/shown"
        self.policy = folder.parent / "policy"
        self.origin = ""

    async def stored(self) -> list[StoredLeaf]:
        """Every event of the hospital."""
        stub = StreamServiceStub(self._hospitals.channel)
        events = [
            StoredLeaf(event.position, event.envelope, event.body)
            async for batch in stub.ReadHospital(ReadHospitalRequest(hospital=self._hospital))
            for event in batch.events
        ]
        self.origin = decode(events[0].envelope).origin
        return events

    def trust(self, quorum: str = "none") -> None:
        """The other hospital believes this log from now on, where the quorum is reached: the witness `w`, or `none`."""
        witness = f"witness w {WITNESSES[0].verifier()}\n"
        self.policy.write_text(f"log {self._key().verifier()} {self.url}\n{witness}quorum {quorum}\n")
        self._hospitals.trust = senders_policy(self.policy)

    def show(self, events: list[StoredLeaf], *, cosigned: bool = False) -> None:
        """The log of these events is what is served from now on."""
        self._trees += 1
        folder, shown = self._folder / f"tree-{self._trees}", self._folder / "shown"
        log = SignedLog(LogFiles(DirectoryBlobs(self._folder), folder.name), self.origin, self._key())
        log.take(events)
        note = log.sign()
        seen = [WITNESSES[0].cosign(note.text, 100)] if cosigned else []
        log.publish(note.signed_also(*seen), log.signed)
        shown.unlink(missing_ok=True)
        shown.symlink_to(folder.name)

    def _key(self) -> SigningKey:
        return key(self.origin, KeyKind.ED25519)
