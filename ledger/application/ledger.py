"""The ledger of this process: every hospital's commands and reads from the write side, behind one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.application.actor_register import register_actor
from ledger.application.command_batch import Request
from ledger.application.errors import (
    RecordDestroyed,
    UnknownCommand,
    UnknownDisposalList,
    UnknownEntry,
    UnknownHospital,
    UnknownPackage,
    UnknownPatient,
    UnknownRecord,
)
from ledger.application.message_codec import time_of
from ledger.application.outcome import Outcome, decode_result
from ledger.application.packages import package_bytes
from ledger.application.patient_identities import PatientIdentities
from ledger.application.record_outlook import RecordOutlook
from ledger.application.registry import Registry
from ledger.application.service_notes import ServiceNotes
from ledger.application.stated_facts import StatedFacts, claimed_item
from ledger.application.stored_rows import rows_up_to
from ledger.application.stream_cache import before
from ledger.application.succession import append_succession
from ledger.application.tenant import Tenant
from ledger.application.tenants import Tenants, TenantStore
from ledger.application.views_of_state import (
    DisposalListView,
    Found,
    Load,
    PackageView,
    PatientView,
    RecordView,
    StreamRow,
)
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.domain.decide_log import SucceedLog
from ledger.domain.decision import ClaimedItem
from ledger.domain.defaults import DEFAULT_PACK
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.handover import handed_over
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.source_claim import Taken
from ledger.domain.state import PackageState, PatientState, RecordState, is_destroyed
from ledger.log.log_files import log_folder
from ledger.signatures.trust import HospitalTrust
from ledger.store.actors import ActorRegister
from ledger.store.connections import reader_pool, writer_pool
from ledger.store.durability import check_durability
from ledger.store.hint import HeadHint
from ledger.store.hospitals import HospitalRow, add_hospital
from ledger.store.reading import EventReader, ReservationRow, StoredRow
from ledger.trust.lineage import with_ended
from ledger.trust.sealing import Opener, Sealer

NOBODY_TRUSTED: Mapping[str, HospitalTrust] = {}


class Ledger:
    """Executes commands and reads, for every hospital of one cluster."""

    def __init__(
        self, settings: Settings, sealer: Sealer, opener: Opener, trust: Mapping[str, HospitalTrust] = NOBODY_TRUSTED
    ) -> None:
        """`trust`: by hospital what signatures by certificate are checked by; another takes none."""
        self._settings = settings
        self._clock = clock_of(settings.clock_file)
        self._writers = writer_pool(settings.postgres_append_url)
        self._readers = reader_pool(settings.postgres_append_url)
        self._hints = HeadHint(self._readers)
        self.notes = ServiceNotes(self._writers, self._readers)
        self._reader = EventReader(self._readers)
        self._registry = Registry(self._readers)
        self._actors = ActorRegister(self._readers)
        store = TenantStore(self._writers, self._readers, self._reader, self._hints)
        self._tenants = Tenants(settings, store, self._registry, sealer, opener, self._clock, trust)

    @classmethod
    async def open(
        cls, settings: Settings, sealer: Sealer, opener: Opener, trust: Mapping[str, HospitalTrust] = NOBODY_TRUSTED
    ) -> Ledger:
        """A ledger ready for commands. Raises NotDurable where PostgreSQL could lose what it acknowledged."""
        ledger = cls(settings, sealer, opener, trust)
        async with ledger._writers.borrow() as connection:
            await check_durability(connection)
        await ledger._registry.refresh()
        return ledger

    async def close(self) -> None:
        """Waits for what is queued, then gives the connections back."""
        await self._tenants.close()
        await self._hints.close()
        await self._writers.close()
        await self._readers.close()

    async def execute(self, rpc: str, request: Message) -> Outcome:
        """Does a command; `request` is any request of the contract that carries a context."""
        context = cast("Any", request).context
        tenant = await self._tenants.of(context.hospital)
        recipient = getattr(request, "recipient", "")
        known = await self._registry.known(recipient) if recipient else frozenset[str]()
        return await tenant.commands.execute(rpc, request, known)

    async def execute_together(self, hospital: str, commands: Sequence[Request]) -> list[Outcome | None]:
        """Does many commands of one hospital at once; None for those that `execute` has to do. See CommandBatch."""
        return await (await self._tenants.of(hospital)).together.execute(commands)

    async def record(
        self, hospital: str, record_id: UUID, version: int | None = None, time: datetime | None = None
    ) -> RecordView:
        """A record as it stands, or as of a version or a server time. Raises UnknownRecord."""
        tenant = await self._tenants.of(hospital)
        loaded = await tenant.ledger.load(record_id)
        if (version, time) != (None, None):
            # What a destroyed record said before is asked of no earlier version either.
            if loaded is not None and is_destroyed(loaded.state) and before(loaded, version, time):
                raise RecordDestroyed(record_id)
            loaded = await tenant.ledger.load_as_of(record_id, version, time)
        if loaded is None or not isinstance(loaded.state, RecordState):
            raise UnknownRecord(record_id)
        return RecordView(record_id, loaded.version, loaded.head_leaf, loaded.recorded_at, loaded.state)

    async def patient(self, hospital: str, patient_id: UUID, time: datetime | None = None) -> PatientView:
        """A patient as known now, or at a server time. Raises UnknownPatient."""
        streams = (await self._tenants.of(hospital)).ledger
        loaded = await streams.load(patient_id) if time is None else await streams.load_as_of(patient_id, None, time)
        if loaded is None or not isinstance(loaded.state, PatientState):
            raise UnknownPatient(patient_id)
        return PatientView(loaded.version, loaded.state)

    async def outlook(self, hospital: str) -> RecordOutlook:
        """What the hospital's records accept and demand now."""
        return (await self._tenants.of(hospital)).outlook

    async def bytes_to_sign(self, hospital: str, record_id: UUID, entry_id: UUID, signer_id: UUID) -> tuple[bytes, int]:
        """What a person signs by certificate of an entry's last version, and which that is.

        Raises UnknownRecord, UnknownEntry, RecordDestroyed, and Refused where the person signed nothing by login.
        """
        record = (await self.record(hospital, record_id)).state
        if is_destroyed(record):
            raise RecordDestroyed(record_id)
        entry = record.entries.get(entry_id)
        if entry is None:
            raise UnknownEntry(entry_id)
        certificates = (await self._tenants.of(hospital)).certificates
        return await certificates.bytes_for(record_id, entry, signer_id), entry.last.version

    async def rules(self, hospital: str) -> HospitalRules:
        """The hospital's packs and templates as its rulebook says now."""
        return await (await self._tenants.of(hospital)).rules.now()

    async def rulebook_id(self, hospital: str) -> UUID | None:
        """The stream of the hospital's rulebook; None where nothing is written there yet."""
        book = await (await self._tenants.of(hospital)).rules.book()
        return book.stream_id if book else None

    async def package(self, hospital: str, package_id: UUID | None, transfer_id: UUID | None) -> PackageView:
        """A received package, by its stream or by the sender's transfer id. Raises UnknownPackage."""
        tenant = await self._tenants.of(hospital)
        if package_id is None and transfer_id is not None:
            found = await self._grouped(tenant, "package", (str(transfer_id),))
            package_id = found[0].stream_id if found else None
        loaded = await tenant.ledger.load(package_id) if package_id else None
        if loaded is None or not isinstance(loaded.state, PackageState):
            raise UnknownPackage
        return PackageView(loaded.stream_id, loaded.state)

    async def disposal_list(self, hospital: str, list_id: UUID) -> DisposalListView:
        """A destruction list as it stands. Raises UnknownDisposalList."""
        tenant = await self._tenants.of(hospital)
        loaded = await tenant.ledger.load(list_id)
        if loaded is None or not isinstance(loaded.state, DisposalListState):
            raise UnknownDisposalList(list_id)
        return DisposalListView(list_id, loaded.state)

    async def find_by_case_number(self, hospital: str, case_number: str, after: UUID | None, limit: int) -> list[Found]:
        """The records of a case number behind an id, in order of id: a claim may move to another key, an id never."""
        tenant = await self._tenants.of(hospital)
        claims = self._reader.all_in_group(hospital, "visit", tenant.keys.key("visit", (case_number,)))
        held = {row.stream_id async for row in claims if row.stream_id}
        behind = sorted(each for each in held if after is None or each > after)
        return [Found(each, "record", None) for each in behind[:limit]]

    async def find_by_source(self, hospital: str, system: str, type_: str, id_: str) -> list[Found]:
        """The stream that took up a source item, and the entry that holds it."""
        tenant = await self._tenants.of(hospital)
        row = await self._reader.reservation(hospital, "source", tenant.keys.key("source", (system, type_, id_)))
        return await self._holder(hospital, claimed_item(row))

    async def find_by_fact(self, hospital: str, patient_id: UUID, fact: bytes) -> list[Found]:
        """The record and entry whose source item states a fact of the patient now."""
        tenant = await self._tenants.of(hospital)
        persons = await PatientIdentities(tenant.ledger, self._reader, tenant.keys).merged_with(patient_id)
        stated = StatedFacts(hospital, self._reader, tenant.keys)
        return await self._holder(hospital, await stated.holder(persons, fact))

    async def _holder(self, hospital: str, claimed: ClaimedItem | None) -> list[Found]:
        if claimed is None or claimed.is_free:
            return []
        head = await self._reader.stream_head(hospital, claimed.stream_id)
        linked = claimed.taken is Taken.LINKED
        entry_id = None if claimed.taken is Taken.PATIENT else claimed.entry_id
        return [Found(claimed.stream_id, head.kind if head else "", entry_id, linked)]

    async def _grouped(self, tenant: Tenant, kind: str, parts: tuple[str, ...]) -> list[ReservationRow]:
        return await self._reader.reservations_in_group(tenant.hospital, kind, tenant.keys.key(kind, parts))

    async def list_records(self, hospital: str, after_first_position: int, limit: int) -> list[StreamRow]:
        """Records in the order of their registration."""
        await self._tenants.of(hospital)
        rows = await self._reader.list_streams(hospital, "record", after_first_position, limit)
        return [
            StreamRow(row.stream_id, row.version, row.first_position, row.last_position, time_of(row.recorded_at))
            for row in rows
        ]

    async def command(self, hospital: str, command_id: UUID) -> tuple[Outcome, str]:
        """What became of a command, and the RPC that did it. Raises UnknownCommand."""
        await self._tenants.of(hospital)
        done = await self._reader.command(hospital, command_id)
        if done is None:
            raise UnknownCommand(command_id)
        events = done.last_position - done.first_position + 1 if done.last_position else 0
        outcome = Outcome(
            record_id=done.stream_id,
            record_version=done.version,
            position=done.last_position,
            repeated=True,
            events=events,
            result=decode_result(done.result),
        )
        return outcome, done.rpc

    async def read_positions(self, hospital: str, after: int, limit: int) -> list[StoredRow]:
        """Events above a position, as stored."""
        await self._tenants.of(hospital)
        return await self._reader.read_positions(hospital, after, limit)

    async def read_stream(self, hospital: str, stream_id: UUID, after_version: int, limit: int) -> list[StoredRow]:
        """Events of one stream above a version, as stored."""
        await self._tenants.of(hospital)
        return await self._reader.read_stream(hospital, stream_id, after_version, limit)

    async def drop_destroyed(self, hospital: str, record_id: UUID) -> None:
        """Forgets what this process remembers of a record whose key is gone."""
        tenant = self._tenants.open_one(hospital)
        if tenant is not None:
            tenant.ledger.forget(record_id)
            # Keeps the tombstone in its place: who read the record just before cannot put that back.
            await tenant.ledger.load(record_id)

    async def head(self, hospital: str) -> int:
        """The last position; 0 for an empty ledger."""
        await self._tenants.of(hospital)
        return await self._reader.head(hospital)

    def now(self) -> datetime:
        """The time by the clock of decisions."""
        return self._clock()

    async def stream_at(self, hospital: str, position: int) -> tuple[UUID, int] | None:
        """Stream and version of the event at a position; None above the head."""
        await self._tenants.of(hospital)
        return await self._reader.stream_at(hospital, position)

    async def streams_between(self, hospital: str, after: int, through: int) -> list[UUID]:
        """Streams of the events above `after` up to `through`, in order of position; the first 2,000 of them."""
        await self._tenants.of(hospital)
        return await self._reader.streams_between(hospital, after, through)

    async def package_bytes(self, hospital: str, record_id: UUID, transfer_id: UUID, recipient: str) -> bytes:
        """The package of a transfer, exactly as it was offered to this recipient. Raises UnknownPackage."""
        view = await self.record(hospital, record_id)
        if is_destroyed(view.state):
            raise RecordDestroyed(record_id)
        transfer = view.state.transfers.get(transfer_id)
        if transfer is None or transfer.counterpart != recipient:
            raise UnknownPackage
        in_error = view.state.archiving.in_error
        if not handed_over(transfer, view.state.patient_id, self._clock(), in_error=in_error):
            raise UnknownPackage
        tenant = await self._tenants.of(hospital)
        rows = await rows_up_to(self._reader, hospital, record_id, transfer.record_version)
        for origin in with_ended(tenant.ledger.origin):  # under which it was offered
            data = package_bytes(transfer_id, origin, rows)
            if sha256(data).digest() == transfer.package_sha256:
                return data
        raise UnknownPackage  # not the bytes that were offered: better none than others

    async def register_actor(self, hospital: str, request: RegisterActorRequest) -> tuple[ActorMessage, bool]:
        """Puts a person into the actor register; says whether that changed anything."""
        tenant = await self._tenants.of(hospital)
        return await register_actor(self._actors, tenant.keys, hospital, request)

    async def add_hospital(
        self, hospital: str, partitions: int, address: str, rule_pack: str = "", display_name: str = ""
    ) -> tuple[HospitalRow, bool]:
        """Adds a hospital, or finds it with the same settings. Raises HospitalDiffers, ValueError."""
        known = await self._registry.hospital(hospital)
        row = await add_hospital(
            self._settings.postgres_migrate_url,
            hospital,
            origin_prefix=self._settings.origin_prefix,
            partitions=partitions or self._settings.partitions,
            address=address,
            rule_pack=rule_pack or DEFAULT_PACK,
            display_name=display_name,
        )
        await self._registry.refresh()
        return row, known is None

    async def hospitals(self) -> list[HospitalRow]:
        """All hospitals by id."""
        return await self._registry.refresh()

    async def require(self, hospital: str) -> None:
        """Raises UnknownHospital where no hospital of that id is in use; costs nothing for one that is known."""
        if await self._registry.hospital(hospital) is None:
            raise UnknownHospital(hospital)

    async def origin_of(self, hospital: str) -> str:
        """The origin of a hospital's ledger. Raises UnknownHospital."""
        row = await self._registry.hospital(hospital)
        if row is None:
            raise UnknownHospital(hospital)
        return row.origin

    async def succeed(self, hospital: str, command: SucceedLog) -> int:
        """Goes on for a log that has ended: the position of the event. Raises Refused, NotAppended."""
        tenant = await self._tenants.of(hospital)
        return await append_succession(tenant.ledger, tenant.committer, command, self._clock())

    async def log_folder(self, hospital: str) -> str:
        """Where the files of the hospital's present log lie. Raises UnknownHospital."""
        return log_folder(hospital, await self.origin_of(hospital))

    def load(self, hospital: str) -> Load:
        """How busy the hospital's committer is."""
        tenant = self._tenants.open_one(hospital)
        if tenant is None:
            return Load(0, 0.0)
        return Load(tenant.committer.waiting, tenant.committer.group_size)
