"""Consultations and other hospitals' results of an episode in the patient index, on a real PostgreSQL."""

from uuid import UUID, uuid4

from google.protobuf.message import Message

from ledger.api.v1 import boards_pb2, common_pb2
from projections.board_queries import BoardQueries
from projections.patient_index.view import PatientIndex
from tests.contract.views import course_events as course
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

FIRST, SECOND, NOTE = UUID(int=31), UUID(int=32), UUID(int=33)


async def episode_after(ground: Ground, *bodies: Message) -> boards_pb2.Episode:
    """The episode of a record with these events after its registration and start."""
    record = h.EventStream()
    number, person = record.stream_id.hex, uuid4()
    async with running(ground, PatientIndex()):
        head = ground.append(
            [record.seal(body) for body in (h.registered("SURG", number, person), h.care_started(), *bodies)]
        )
        found = await BoardQueries(reader(ground)).patient_index("north", None, number, head)
    (episode,) = found.episodes
    return episode


async def test_an_episode_shows_its_consultations(ground: Ground) -> None:
    """In the order of the requests: who was asked and when, by a call before, arrival, answer, withdrawal."""
    called, came, to = h.at(2), h.at(5), common_pb2.TIME_OF_CONSULTATION_ARRIVAL
    asked = [h.consultation_requested(SECOND), course.called(SECOND, called), h.consultation_requested(FIRST)]
    there = [course.arrived(SECOND), course.consultation_time_corrected(SECOND, to, came)]
    episode = await episode_after(
        ground, *asked, *there, course.answered(SECOND, NOTE), life.consultation_withdrawn(FIRST)
    )
    second, first = episode.consultations
    assert (second.consultation_id, second.to_department, second.entry_id) == (str(SECOND), "CARD", str(NOTE))
    assert (second.requested_at, second.arrived_at, second.answered_at) == (called, came, h.at(8))
    assert (first.requested_at, first.withdrawn_at, first.entry_id) == (h.at(5), h.at(9), "")
    assert [each.HasField("withdrawn_at") for each in (second, first)] == [False, True]
    assert [each.HasField("arrived_at") for each in (second, first)] == [True, False]
    assert [each.HasField("answered_at") for each in (second, first)] == [True, False]
    assert not episode.consultations_cut


async def test_a_consultation_whose_answer_was_retracted_waits_since_the_first_time(ground: Ground) -> None:
    """Asked again under its id: the arrival stays, the answer is gone, and it stands once."""
    asked, request = h.consultation_requested(FIRST), common_pb2.TIME_OF_CONSULTATION_REQUEST
    earlier = course.consultation_time_corrected(FIRST, request, h.at(1))
    answered = [asked, earlier, course.arrived(FIRST), course.answered(FIRST, NOTE)]
    (waits,) = (await episode_after(ground, *answered, h.entry_retracted(NOTE), asked)).consultations
    assert (waits.requested_at, waits.arrived_at, waits.entry_id) == (h.at(1), h.at(5), "")
    assert not waits.HasField("answered_at")


async def test_an_episode_shows_what_became_of_other_hospitals_results(ground: Ground) -> None:
    """Recognised, with the entry that quotes it, or examined again; of each list 200 are shown, and if that is all."""
    results = [course.recognised("CT-7", NOTE), course.repeated("MR-8")]
    episode = await episode_after(ground, *results)
    shown = [(each.result_id, each.hospital, each.entry_id, each.repeated) for each in episode.foreign_results]
    assert shown == [("CT-7", "east", str(NOTE), False), ("MR-8", "east", "", True)]
    assert not episode.foreign_results_cut
    asked = [h.consultation_requested(UUID(int=1_000 + number)) for number in range(201)]
    many = await episode_after(ground, *asked, *(course.recognised(f"CT-{number}") for number in range(201)))
    assert (len(many.consultations), many.consultations_cut) == (200, True)
    assert (len(many.foreign_results), many.foreign_results_cut) == (200, True)
