"""One patient over several identities, with codes and duplicates, through the runner, on a real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.errors import BadPageToken, UnknownPatient
from ledger.views.queries import EpisodesAsked
from projections.board_queries import BoardQueries
from projections.department_board.view import DepartmentBoard
from projections.identity_queries import IdentityQueries
from projections.patient_index.view import PatientIndex
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

OWN, MERGED, LINKED = (
    boards_pb2.IDENTITY_STANDING_OWN,
    boards_pb2.IDENTITY_STANDING_MERGED,
    boards_pb2.IDENTITY_STANDING_LINKED,
)


def episode_of(patient: UUID, case_number: str) -> h.Sealed:
    return h.EventStream().seal(h.registered("SURG", case_number, patient))


async def test_a_patient_over_merged_and_linked_identities(ground: Ground) -> None:
    """Asked by any of them: what is merged is the same person, what is only linked says so; both can be taken back."""
    goes_on, absorbed, perhaps = h.EventStream(), h.EventStream(), h.EventStream()
    of = {"C1": goes_on, "C2": absorbed, "C3": perhaps}
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))

        async def append(*events: h.Sealed) -> None:
            for event in events:
                await queries.patient_index("north", None, "C1", ground.append([event]))

        async def standings(case_number: str) -> dict[str, int]:
            found = await queries.patient_index("north", None, case_number, 0)
            assert found.identities[0].case_number == found.case_number
            shown = {each.case_number: int(each.standing) for each in found.identities}
            names = {str(stream.stream_id): number for number, stream in of.items()}
            assert {names[each.patient_id]: int(each.standing) for each in found.episodes} == shown
            return shown

        await append(*(stream.seal(h.patient_registered(number)) for number, stream in of.items()))
        await append(*(episode_of(stream.stream_id, number) for number, stream in of.items()))
        await append(
            absorbed.seal(life.merged(goes_on.stream_id, survivor=False)),
            goes_on.seal(life.merged(absorbed.stream_id, survivor=True)),
            absorbed.seal(life.linked(perhaps.stream_id)),
            perhaps.seal(life.linked(absorbed.stream_id)),
        )
        assert await standings("C1") == {"C1": OWN, "C2": MERGED, "C3": LINKED}
        assert await standings("C2") == {"C1": OWN, "C2": MERGED, "C3": LINKED}
        await append(
            absorbed.seal(life.unmerged(goes_on.stream_id)),
            goes_on.seal(life.unmerged(absorbed.stream_id)),
        )
        assert await standings("C1") == {"C1": OWN}
        assert await standings("C2") == {"C2": OWN, "C3": LINKED}
        await append(absorbed.seal(life.unlinked(perhaps.stream_id)), perhaps.seal(life.unlinked(absorbed.stream_id)))
        assert await standings("C2") == {"C2": OWN}


async def test_an_episode_shows_codes_and_duplicates(ground: Ground) -> None:
    """Codes of the newest version of entries that stand, counted; the same fact from elsewhere beside its entry."""
    record, one, two, gone, draft = h.EventStream(), uuid4(), uuid4(), uuid4(), uuid4()
    signed = common_pb2.ENTRY_STATE_SIGNED
    bodies = [h.registered("SURG", "C5", UUID(int=5)), h.care_started(), life.drafted(draft)]
    bodies += [life.signed(one, signed, "A", "I10"), life.signed(two, signed, "B", "I10"), life.authored(gone)]
    bodies += [life.late_item(uuid4()), h.entry_retracted(gone), h.entry_amended(two, "no code")]
    bodies += [life.duplicate(one), life.duplicate(None)]
    async with running(ground, PatientIndex()):
        head = ground.append(record.seal(body) for body in bodies)
        found = await BoardQueries(reader(ground)).patient_index("north", None, "C5", head)
    (episode,) = found.episodes
    assert [(each.coding.code, each.entries) for each in episode.codes] == [("C50.9", 1), ("I10", 1)]
    assert [(each.entry_id, each.source.system, each.source.id) for each in episode.duplicates] == [
        (str(one), "lis", "o-7"),
        ("", "lis", "o-7"),
    ]
    assert (episode.entries, episode.standing) == (3, OWN)


async def test_what_is_cut_is_said(ground: Ground) -> None:
    """200 codes, 200 duplicates and 1,000 identities are shown whole; one more of each, and the answer says so."""
    patient, record, entry = h.EventStream(), h.EventStream(), uuid4()
    bodies = [h.registered("SURG", "C5", patient.stream_id)]
    bodies += [life.signed(uuid4(), common_pb2.ENTRY_STATE_SIGNED, "A", f"I{code:03}") for code in range(200)]
    bodies += [life.duplicate(entry) for _ in range(200)]
    more = [life.signed(uuid4(), common_pb2.ENTRY_STATE_SIGNED, "A", "Z99"), life.duplicate(entry)]
    links = [life.linked(UUID(int=each)) for each in range(1, 1_000)]
    shown: list[tuple[bool, ...]] = []
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        known = ground.append([patient.seal(h.patient_registered("C5"))])
        for begin in range(0, 998, 333):  # no wait is for more than a batch
            await queries.patient_index("north", None, "C5", known)
            known = ground.append(patient.seal(body) for body in links[:998][begin : begin + 333])
        for person, said in ((links[998:], bodies), ([life.linked(UUID(int=1_000))], more)):
            await queries.patient_index("north", None, "C5", ground.append(patient.seal(body) for body in person))
            found = await queries.patient_index("north", None, "C5", ground.append(record.seal(body) for body in said))
            (episode,) = found.episodes
            assert (len(episode.codes), len(episode.duplicates), len(found.identities)) == (200, 200, 1_000)
            shown.append((episode.codes_cut, episode.duplicates_cut, found.identities_cut))
    assert shown == [(False, False, False), (True, True, True)]


async def test_what_an_index_cuts_is_listed_page_by_page(ground: Ground) -> None:
    """More than 1,000 identities and 20 births: each comes once, and the episodes of one that no index shows."""
    child, mother = h.EventStream(), h.EventStream()
    links = [life.linked(UUID(int=each)) for each in range(1, 1_006)]
    born = [life.newborn_linked(UUID(int=each), child.stream_id) for each in range(1, 23)]
    last = UUID(int=1_005)
    async with running(ground, PatientIndex()):
        boards, queries = BoardQueries(reader(ground)), IdentityQueries(reader(ground))
        known = ground.append([child.seal(h.patient_registered("C5"))])
        for begin in range(0, len(links), 335):  # no wait is for more than a batch
            await boards.patient_index("north", None, "C5", known)
            known = ground.append(child.seal(body) for body in links[begin : begin + 335])
        await boards.patient_index("north", None, "C5", known)
        record = h.EventStream()
        await boards.patient_index("north", None, "C5", ground.append([record.seal(h.registered("NEO", "C6", last))]))
        head = ground.append(mother.seal(body) for body in [h.registered("OBST", "C7", UUID(int=2_000)), *born])
        shown = await boards.patient_index("north", child.stream_id, "", head)
        assert (shown.identities_cut, len(shown.births), shown.births_cut) == (True, 20, True)
        found: list[tuple[str, int]] = []
        token = ""
        while token or not found:
            page = await queries.identities_page("north", None, "C5", (400, token), head)
            assert page.patient_id == str(child.stream_id)
            found += [(each.patient_id, int(each.standing)) for each in page.identities]
            token = page.next_page_token
        expected = [(str(UUID(int=each)), int(LINKED)) for each in range(1, 1_006)]
        assert found == sorted([*expected, (str(child.stream_id), int(OWN))])
        first = await queries.births_page("north", child.stream_id, "", (15, ""), 0)
        rest = await queries.births_page("north", child.stream_id, "", (15, first.next_page_token), 0)
        assert [each.subject_id for each in (*first.births, *rest.births)] == [str(UUID(int=n)) for n in range(1, 23)]
        assert rest.next_page_token == ""
        asked = EpisodesAsked(identity_id=last)
        (episode,) = (await boards.patient_index("north", child.stream_id, "", 0, asked)).episodes
        assert (episode.record_id, episode.standing) == (str(record.stream_id), LINKED)
        for call in (
            boards.patient_index("north", child.stream_id, "", 0, EpisodesAsked(identity_id=UUID(int=3_000))),
            queries.identities_page("north", UUID(int=3_000), "", (0, ""), 0),
            queries.births_page("north", None, "C-nobody", (0, ""), 0),
        ):
            with pytest.raises(UnknownPatient):
                await call
        with pytest.raises(BadPageToken):
            await queries.births_page("north", UUID(int=1), "", (15, first.next_page_token), 0)


async def test_a_filter_that_leaves_no_episode_makes_nobody_unknown(ground: Ground) -> None:
    """A record seen before its patient is enough to know the patient, and the number, on every page."""
    record, nothing = h.EventStream(), EpisodesAsked(phase=common_pb2.PHASE_DUE)
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        head = ground.append([record.seal(h.registered("SURG", "C5", UUID(int=5)))])
        found = await queries.patient_index("north", None, "C5", head, nothing)
    assert (found.patient_id, found.case_number, list(found.episodes)) == (str(UUID(int=5)), "C5", [])
    assert [each.case_number for each in found.identities] == ["C5"]


async def test_an_episode_says_which_of_its_codes_were_corrected(ground: Ground) -> None:
    """A late item corrects an entry, also once it was itself amended; one that was retracted corrects nothing."""
    record, wrong, late = h.EventStream(), uuid4(), uuid4()
    bodies = [h.registered("SURG", "C5", UUID(int=5)), h.care_started()]
    bodies += [life.signed(wrong, common_pb2.ENTRY_STATE_SIGNED, "A", "I10"), life.late_item(late)]
    bodies += [life.corrected_late(wrong, late), life.amended(late)]
    async with running(ground, PatientIndex(), DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        for more, corrected in ((bodies, 1), ([h.entry_retracted(late)], 0)):
            head = ground.append(record.seal(body) for body in more)
            (episode,) = (await queries.patient_index("north", None, "C5", head)).episodes
            (row,) = (await queries.department_board("north", "SURG", 0, "", head)).rows
            shown = {each.coding.code: (each.entries, each.corrected) for each in episode.codes}
            assert shown["I10"] == (1, corrected)
            assert (episode.corrected, row.corrected) == (corrected, corrected)
            assert (episode.entries, row.entries) == (1 + corrected, 1 + corrected)


async def test_a_newborns_codes_are_not_the_mothers(ground: Ground) -> None:
    """The same code of both stands twice, each with whom it is about."""
    record, born, state = h.EventStream(), str(uuid4()), common_pb2.ENTRY_STATE_SIGNED
    bodies: list[Any] = [life.signed(uuid4(), state, "A", code) for code in ("I10", "I10", "P07.3")]
    for body in bodies[1:]:
        body.content.subject_id = born
    bodies = [h.registered("OBST", "C6", UUID(int=6)), h.care_started(), *bodies]
    async with running(ground, PatientIndex()):
        head = ground.append(record.seal(body) for body in bodies)
        found = await BoardQueries(reader(ground)).patient_index("north", None, "C6", head)
    shown = [(each.coding.code, each.entries, each.subject_id) for each in found.episodes[0].codes]
    assert shown == [("I10", 1, ""), ("I10", 1, born), ("P07.3", 1, born)]


async def test_the_codes_of_a_newborn_registered_twice_are_one_newborns(ground: Ground) -> None:
    """Under the id that stands, each code once; apart again once the withdrawal is taken back."""
    record, right, wrong, state = h.EventStream(), uuid4(), uuid4(), common_pb2.ENTRY_STATE_SIGNED
    bodies: list[Any] = [life.signed(uuid4(), state, "A", "P07.3") for _ in range(2)]
    for body, born in zip(bodies, (right, wrong), strict=True):
        body.content.subject_id = str(born)
    begun = [h.registered("OBST", "C7", UUID(int=7)), h.care_started(), *bodies]
    shown: list[dict[str, int]] = []
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        for news in ([*begun, life.newborn_withdrawn(wrong, right)], [life.newborn_restored(wrong)]):
            head = ground.append(record.seal(body) for body in news)
            found = await queries.patient_index("north", None, "C7", head)
            shown.append({each.subject_id: each.entries for each in found.episodes[0].codes})
    assert shown == [{str(right): 2}, {str(right): 1, str(wrong): 1}]


async def test_mother_and_newborn_show_each_other(ground: Ground) -> None:
    """Who the newborn is in her episode, where the child was born in its own index; neither once it is taken back."""
    record, own, born, child = h.EventStream(), h.EventStream(), uuid4(), UUID(int=9)
    begun = [h.registered("OBST", "C8", UUID(int=8)), h.care_started(), life.newborn_linked(born, child)]
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        first = ground.append([own.seal(h.registered("NEO", "C9", child))])
        await queries.patient_index("north", None, "C9", first)
        for news, link in (
            (begun, [(str(record.stream_id), str(born), str(child))]),
            ([life.newborn_linked(born, None)], []),
        ):
            head = ground.append(record.seal(body) for body in news)
            hers = await queries.patient_index("north", None, "C8", head)
            its = await queries.patient_index("north", None, "C9", head)
            assert (list(hers.births), list(its.episodes[0].newborns)) == ([], [])
            for shown in (hers.episodes[0].newborns, its.births):
                assert [(each.record_id, each.subject_id, each.patient_id) for each in shown] == link


async def test_no_index_shows_a_link_of_who_was_taken_back_or_of_a_record_in_error(ground: Ground) -> None:
    """It is shown again once the newborn stands; never where the record was entered in error."""
    record, born, right, child = h.EventStream(), uuid4(), uuid4(), UUID(int=11)
    begun = [h.registered("OBST", "C10", UUID(int=10)), h.care_started(), life.newborn_linked(born, child)]
    shown: list[tuple[int, int]] = []
    async with running(ground, PatientIndex()):
        queries = BoardQueries(reader(ground))
        first = ground.append([h.EventStream().seal(h.registered("NEO", "C11", child))])
        await queries.patient_index("north", None, "C11", first)
        for news in (
            [*begun, life.newborn_withdrawn(right)],
            [life.newborn_withdrawn(born, right)],
            [life.newborn_restored(born)],
            [life.newborn_withdrawn(born)],
            [life.newborn_linked(born, None), life.newborn_restored(born), life.newborn_linked(born, child)],
            [life.entered_in_error()],
        ):
            head = ground.append(record.seal(body) for body in news)
            (hers,) = (await queries.patient_index("north", None, "C10", head)).episodes
            its = await queries.patient_index("north", None, "C11", head)
            shown.append((len(hers.newborns), len(its.births)))
    assert shown == [(1, 1), (0, 0), (1, 1), (0, 0), (1, 1), (0, 0)]


async def test_an_identified_patient_takes_the_record_along(ground: Ground) -> None:
    """It moves from the provisional person to the known one, in the index and on the board."""
    record, provisional, known = h.EventStream(), UUID(int=50), UUID(int=51)
    registered = h.registered("ER", "WRIST-1", provisional)
    registered.identity = common_pb2.IDENTITY_STATUS_UNVERIFIED
    async with running(ground, PatientIndex(), DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        head = ground.append([record.seal(registered), record.seal(h.care_started("ER"))])
        (unknown,) = (await queries.department_board("north", "ER", 0, "", head)).rows
        head = ground.append([record.seal(life.identified(known, "C8"))])
        (row,) = (await queries.department_board("north", "ER", 0, "", head)).rows
        found = await queries.patient_index("north", known, "", head)
    assert unknown.identity == common_pb2.IDENTITY_STATUS_UNVERIFIED
    assert (row.case_number, row.identity) == ("C8", common_pb2.IDENTITY_STATUS_MATCHED)
    assert [each.record_id for each in found.episodes] == [str(record.stream_id)]


async def test_the_board_shows_drafts_signatures_and_late_items(ground: Ground) -> None:
    """A draft is no entry yet; a trainee's note waits until somebody countersigns; what came late is counted."""
    record, draft, waiting, done = h.EventStream(), uuid4(), uuid4(), uuid4()
    bodies = [h.registered(), h.care_started(), life.authored(waiting), life.authored(done), life.countersigned(done)]
    bodies += [h.care_ended(), h.submitted(), life.late_item(uuid4()), life.drafted(draft, "Not yet")]
    async with running(ground, DepartmentBoard()):
        head = ground.append(record.seal(body) for body in bodies)
        (row,) = (await BoardQueries(reader(ground)).department_board("north", "SURG", 0, "", head)).rows
    assert (row.entries, row.drafts, row.to_countersign, row.late_items) == (3, 1, 1, 1)
    assert row.latest_entry == "Pathology"
