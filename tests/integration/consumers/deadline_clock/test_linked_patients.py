"""Retention dates after links and merges of patients: moved at once, by the clock, and never back."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.consumers.deadline_clock.driven_hospital import DrivenHospital

EARLY, LATER, LATEST = "2041-03-02", "2041-06-10", "2041-09-18"
DAYS = timedelta(days=100)


async def test_a_link_moves_the_dates_of_both_at_once(north: DrivenHospital) -> None:
    """Without any visit, over a chain of links, once each; taking it back leaves the date, and linking again too."""
    patients = [await north.patient() for _ in range(3)]
    records = [await north.archived(patients[0])]
    for patient in patients[1:]:
        north.after(DAYS)
        records.append(await north.archived(patient))
    await north.tick()
    assert await dates(north, records) == [EARLY, LATER, LATEST]
    await north.link(patients[0], patients[1])
    await north.tick()
    assert await dates(north, records) == [LATER, LATER, LATEST]
    await north.link(patients[2], patients[1])
    await north.tick()
    assert await dates(north, records) == [LATEST] * 3
    await north.unlink(patients[1], patients[2])
    await north.link(patients[1], patients[2])
    await north.unlink(patients[0], patients[1])
    await north.tick()
    assert await dates(north, records) == [LATEST] * 3
    assert (await north.events())["RetentionExtended"] == 3


async def test_a_merge_moves_the_dates_of_both_at_once(north: DrivenHospital) -> None:
    """Whichever of them goes on."""
    early, late, third = [await north.patient() for _ in range(3)]
    records = [await north.archived(early)]
    north.after(DAYS)
    records.append(await north.archived(late))
    north.after(DAYS)
    records.append(await north.archived(third))
    await north.merge(late, early)
    await north.tick()
    assert await dates(north, records) == [LATER, LATER, LATEST]
    await north.merge(third, early)
    await north.tick()
    assert await dates(north, records) == [LATEST] * 3


async def dates(north: DrivenHospital, records: list[str]) -> list[str]:
    """Until when each is kept, as promised."""
    return [(await north.retention(each)).retain_until for each in records]
