"""Random-free building blocks of histories: streams of real events as they lie in a ledger."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2
from ledger.trust.envelope import FORMAT, Envelope
from ledger.trust.leaf import leaf_hash
from tests.services.sealed import stored_under_fixed_key

FIRST_SECOND = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event as stored, without its position."""

    stream_id: UUID
    version: int
    type: str
    recorded_at: int
    envelope: bytes
    body: bytes

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.envelope)


@dataclass
class EventStream:
    """Seals the events of one stream, version after version, a second apart but for those of one command."""

    stream_id: UUID = field(default_factory=uuid4)
    hospital: str = "north"
    version: int = 0
    leaf: bytes = b""

    def seal(self, body: Message, *, event_type: str = "", same_command: bool = False) -> Sealed:
        meta = getattr(body, "meta", None)
        if meta is not None:
            meta.occurred_at.CopyFrom(at(self.version + 1))
        return self.seal_bytes(
            body.SerializeToString(), event_type or f"ledger.v1.{body.DESCRIPTOR.name}", same_command
        )

    def seal_bytes(self, body: bytes, event_type: str, same_command: bool = False) -> Sealed:
        self.version += 1
        recorded_at = (FIRST_SECOND + self.version - int(same_command)) * 1_000_000
        place = Envelope(
            format=FORMAT,
            origin=f"ledger.test/{self.hospital}/1",
            stream_id=self.stream_id.bytes,
            stream_version=self.version,
            type=event_type,
            recorded_at=recorded_at,
            actor=bytes(15) + b"\x01",
            key_id=b"",
            body_sha256=b"",
            commitment=b"",
            prev_leaf=self.leaf,
        )
        stored = stored_under_fixed_key(place, body)
        self.leaf = stored.leaf
        return Sealed(self.stream_id, self.version, event_type, recorded_at, stored.envelope, stored.body)


def at(seconds: int) -> Timestamp:
    """A time some seconds after the first."""
    return Timestamp(seconds=FIRST_SECOND + seconds)


def registered(
    department: str = "SURG", case_number: str = "C1", patient: UUID | None = None
) -> events_pb2.RecordRegistered:
    return events_pb2.RecordRegistered(
        patient_id=str(patient or UUID(int=1)),
        case_number=case_number,
        visit_type=common_pb2.VISIT_TYPE_INPATIENT,
        visit_sequence=1,
        department=department,
        identity=common_pb2.IDENTITY_STATUS_MATCHED,
        retention_class="inpatient",
        rule_pack="us-generic",
        rule_pack_version=1,
    )


def care_started(department: str = "SURG", bed: str = "12") -> events_pb2.CareStarted:
    return events_pb2.CareStarted(department=department, bed=bed, responsible=common_pb2.Actor(name="Dr. Lee"))


def entry_recorded(entry_id: UUID, title: str = "Admission note") -> Message:
    return events_pb2.EntryRecorded(entry_id=str(entry_id), content=common_pb2.EntryContent(title=title))


def entry_amended(entry_id: UUID, title: str) -> Message:
    return events_pb2.EntryAmended(entry_id=str(entry_id), content=common_pb2.EntryContent(title=title))


def entry_retracted(entry_id: UUID) -> Message:
    return events_pb2.EntryRetracted(entry_id=str(entry_id), reason="wrong patient")


def moved_to(department: str, bed: str = "3") -> events_pb2.DepartmentTransferred:
    return events_pb2.DepartmentTransferred(to_department=department, bed=bed)


def care_ended() -> Message:
    return events_pb2.CareEnded(disposition=common_pb2.DISPOSITION_HOME, ended_at=at(1_000))


def consultation_requested(consultation_id: UUID) -> Message:
    return events_pb2.ConsultationRequested(consultation_id=str(consultation_id), to_department="CARD")


def consultation_answered(consultation_id: UUID) -> Message:
    return events_pb2.ConsultationAnswered(consultation_id=str(consultation_id))


def patient_registered(case_number: str = "C1") -> Message:
    return events_pb2.PatientRegistered(case_number=case_number)


def submitted() -> Message:
    return events_pb2.RecordSubmitted()


def returned() -> Message:
    return events_pb2.QualityReturned(defects=[common_pb2.Defect(code="D1")])


def assessed(score: int, grade: str, *codes: str) -> Message:
    found = [common_pb2.Defect(code=code) for code in codes]
    return course_events_pb2.QualityAssessed(score=score, full_score=100, grade=grade, defects=found)


def passed(score: int = 97) -> Message:
    return events_pb2.QualityPassed(score=score)


def archived() -> Message:
    return events_pb2.RecordArchived(head_leaf=bytes(32), retain_until="2053-11-14", retention_class="inpatient")


def transfer_proposed(transfer_id: UUID, counterpart: str = "south") -> Message:
    return events_pb2.TransferProposed(
        transfer_id=str(transfer_id), counterpart=counterpart, kind=common_pb2.TRANSFER_KIND_TRANSFER
    )


def transfer_packaged(transfer_id: UUID, record_version: int) -> Message:
    return events_pb2.TransferPackaged(
        transfer_id=str(transfer_id), record_version=record_version, package_sha256=b"p" * 32, package_size=4_711
    )


def transfer_offered(transfer_id: UUID, record_version: int) -> Message:
    return events_pb2.TransferOffered(
        transfer_id=str(transfer_id), record_version=record_version, package_sha256=b"p" * 32, package_size=4_711
    )


def transfer_superseded(transfer_id: UUID, by: UUID) -> Message:
    return events_pb2.TransferSuperseded(transfer_id=str(transfer_id), counterpart="south", superseded_by=str(by))


def transfer_rejected(transfer_id: UUID) -> Message:
    return events_pb2.TransferRejected(transfer_id=str(transfer_id), code="DIGEST_MISMATCH")


def package_received(transfer_id: UUID, record: UUID, version: int = 9) -> Message:
    return events_pb2.PackageReceived(
        transfer_id=str(transfer_id), counterpart="south", sender_record_id=str(record), record_version=version
    )


def package_outdated(transfer_id: UUID) -> Message:
    return events_pb2.PackageOutdated(transfer_id=str(transfer_id))


def package_since_fork(transfer_id: UUID) -> Message:
    return events_pb2.PackageSinceFork(transfer_id=str(transfer_id), log="ledger.example/south/1", common_size=7)


def package_fork_cleared(transfer_id: UUID) -> Message:
    return events_pb2.PackageForkCleared(transfer_id=str(transfer_id), reason="compared")


def package_accepted(transfer_id: UUID) -> Message:
    return events_pb2.PackageAccepted(transfer_id=str(transfer_id))
