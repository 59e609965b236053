"""Patient index, archive register and transfer packages, through the runner, on a real PostgreSQL."""

from uuid import uuid4

import pytest

from ledger.api.v1 import common_pb2
from ledger.views.errors import UnknownPatient
from ledger.views.queries import RegisterFilter
from projections.archive_queries import ArchiveQueries
from projections.archive_register.view import ArchiveRegister
from projections.board_queries import BoardQueries
from projections.patient_index.view import PatientIndex
from projections.transfer_packages.view import TransferPackages
from projections.transfer_queries import TransferQueries
from tests.contract.views import histories as h
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running


async def test_a_patient_has_all_episodes_in_order_of_time(ground: Ground) -> None:
    """By id and by case number; a record that comes before its patient counts as well."""
    patient, first, second = h.EventStream(), h.EventStream(), h.EventStream()
    registered = h.registered("SURG", "C7", patient.stream_id)
    early = [first.seal(body) for body in (registered, h.care_started("SURG"), h.moved_to("ICU"), h.care_ended())]
    late = [second.seal(body) for body in (registered, h.submitted(), h.care_started("MED"), h.entry_recorded(uuid4()))]
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        ground.append([*early, *late])
        head = ground.append([patient.seal(h.patient_registered("C7"))])
        await queries.patient_index("north", None, "C7", len(early) + len(late))
        await queries.patient_index("north", None, "C7", len(early))
        found = await queries.patient_index("north", patient.stream_id, "", head)
        same = await queries.patient_index("north", None, "C7", 0)
        with pytest.raises(UnknownPatient):
            await queries.patient_index("north", None, "nobody", 0)
    assert found == same
    assert (found.patient_id, found.case_number) == (str(patient.stream_id), "C7")
    assert [episode.record_id for episode in found.episodes] == [str(first.stream_id), str(second.stream_id)]
    assert list(found.episodes[0].departments) == ["SURG", "ICU"]
    assert found.episodes[0].ended_at == h.at(1_000)
    assert found.episodes[1].entries == 1
    assert [episode.registered_at for episode in found.episodes] == [h.at(1), h.at(1)]


async def test_the_register_follows_phase_and_head(ground: Ground) -> None:
    """Phase, dates, returns and score move by their events, version and head hash by every event."""
    record = h.EventStream()
    bodies = [h.registered(), h.care_started(), h.care_ended(), h.submitted(), h.returned(), h.submitted(), h.passed()]
    events = [record.seal(body) for body in (*bodies, h.archived(), h.transfer_proposed(uuid4()))]
    async with running(ground, ArchiveRegister()):
        head = ground.append(events)
        queries = ArchiveQueries(reader(ground))
        (row,) = (await queries.archive_register("north", RegisterFilter(common_pb2.PHASE_ARCHIVED), 0, "", head)).rows
        running_records = await queries.archive_register("north", RegisterFilter(common_pb2.PHASE_ACTIVE), 0, "", 0)
    assert not running_records.rows
    assert (row.record_version, row.head_leaf) == (9, events[-1].leaf)
    assert (row.returns, row.score, row.retain_until) == (1, 97, "2053-11-14")
    assert row.submitted_at == h.at(6)
    assert row.archived_at == h.at(8)


async def test_pages_of_the_register(ground: Ground) -> None:
    """In order of registration, without gap or repeat."""
    streams = [h.EventStream() for _ in range(5)]
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))
        ground.append(stream.seal(h.registered()) for stream in streams)
        for position in range(1, 6):
            await queries.archive_register("north", RegisterFilter(), 1, "", position)
        seen: list[str] = []
        token = "first"
        while token:
            page = await queries.archive_register("north", RegisterFilter(), 2, "" if token == "first" else token, 0)
            seen += [row.record_id for row in page.rows]
            token = page.next_page_token
    assert seen == [str(stream.stream_id) for stream in streams]


async def test_transfers_sent_and_received(ground: Ground) -> None:
    """A sent one by the record's stream, a received one by the package's, the newest first."""
    record, package, sent, received = h.EventStream(), h.EventStream(), uuid4(), uuid4()
    out = [h.registered(), h.transfer_proposed(sent), h.transfer_packaged(sent, 2), h.transfer_offered(sent, 2)]
    foreign = uuid4()
    async with running(ground, TransferPackages()):
        queries = TransferQueries(reader(ground))
        sent_head = ground.append(record.seal(body) for body in (*out, h.transfer_rejected(sent)))
        bodies = (h.package_received(received, foreign), h.package_accepted(received))
        head = ground.append(package.seal(body) for body in bodies)
        await queries.transfers("north", 0, "", sent_head)
        rows = (await queries.transfers("north", 0, "", head)).transfers
    assert [(row.direction, row.transfer_id) for row in rows] == [("received", str(received)), ("sent", str(sent))]
    assert [row.record_id for row in rows] == [str(foreign), str(record.stream_id)]
    assert [row.state for row in rows] == [common_pb2.TRANSFER_STATE_ACCEPTED, common_pb2.TRANSFER_STATE_REJECTED]
    assert (rows[1].code, rows[1].package_size, rows[1].record_version) == ("DIGEST_MISMATCH", 4_711, 2)


async def test_a_received_package_came_since_a_fork_until_a_person_clears_it(ground: Ground) -> None:
    """Listed by itself meanwhile, whatever became of it besides."""
    package, other = h.EventStream(), h.EventStream()
    transfer, stray = uuid4(), uuid4()
    taken = [h.package_received(transfer, uuid4()), h.package_since_fork(transfer), h.package_accepted(transfer)]
    async with running(ground, TransferPackages()):
        queries = TransferQueries(reader(ground))
        bodies = [*(package.seal(body) for body in taken), other.seal(h.package_received(stray, uuid4()))]
        head = ground.append(bodies)
        # Who names a position waits for that event's partition alone, and the two packages may lie on two.
        await queries.transfers("north", 0, "", head - 1)
        every = (await queries.transfers("north", 0, "", head)).transfers
        assert {row.transfer_id: row.since_fork for row in every} == {str(transfer): True, str(stray): False}
        (listed,) = (await queries.transfers("north", 0, "", head, since_fork=True)).transfers
        assert (listed.transfer_id, listed.state) == (str(transfer), common_pb2.TRANSFER_STATE_ACCEPTED)
        assert (await queries.transfers("north", 0, "", head, outdated=True, since_fork=True)).transfers == []
        head = ground.append([package.seal(h.package_fork_cleared(transfer))])
        assert (await queries.transfers("north", 0, "", head, since_fork=True)).transfers == []


async def test_a_received_package_is_outdated_until_a_later_version_is_here(ground: Ground) -> None:
    """Listed by itself meanwhile; a later version that was rejected, or of another record, is none."""
    early, late, stray = h.EventStream(), h.EventStream(), h.EventStream()
    first, second, third, foreign = uuid4(), uuid4(), uuid4(), uuid4()
    taken = [h.package_received(first, foreign), h.package_accepted(first), h.package_outdated(first)]
    other = [h.package_received(third, uuid4(), 11), h.package_accepted(third)]
    async with running(ground, TransferPackages()):
        queries = TransferQueries(reader(ground))

        async def outdated(head: int) -> tuple[list[str], list[str]]:
            listed = await queries.transfers("north", 0, "", head, outdated=True)
            every = await queries.transfers("north", 0, "", head)
            marked = [row.transfer_id for row in every.transfers if row.outdated]
            return [row.transfer_id for row in listed.transfers], marked

        head = ground.append([*(early.seal(body) for body in taken), *(stray.seal(body) for body in other)])
        await outdated(head - len(other))  # the partition of the first
        assert await outdated(head) == ([str(first)], [str(first)])
        head = ground.append([late.seal(h.package_received(second, foreign, 10))])
        assert await outdated(head) == ([str(first)], [str(first)])
        head = ground.append([late.seal(h.package_accepted(second))])
        assert await outdated(head) == ([], [])
        rows = (await queries.transfers("north", 0, "", head)).transfers
    assert {row.state for row in rows} == {common_pb2.TRANSFER_STATE_ACCEPTED}
