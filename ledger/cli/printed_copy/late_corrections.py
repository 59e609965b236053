"""What a printed copy says of late corrections: which entry was corrected, by which, and which corrects it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from zoneinfo import ZoneInfo

from ledger.api.v1.records_pb2 import Entry, Record
from ledger.cli.printed_copy.entry_text import Line, said_time


class LateCorrections:
    """Corrections of a record as of the version of the copy, and those that came since."""

    def __init__(self, then: Record, now: Record, hidden: Container[str]) -> None:
        self.entries = {each.entry_id: each for each in then.entries}
        """The record's entries as of the version of the copy."""
        self._now = {each.entry_id: each for each in now.entries}
        self._hidden = hidden

    def lines(self, entry: Entry, zone: ZoneInfo) -> Iterator[Line]:
        """That the entry corrects another, or is corrected: nobody takes an old value for the last."""
        if entry.corrects_entry_id and self.of_same(entry, entry.corrects_entry_id):
            corrected = self.named(entry.corrects_entry_id, zone)
            yield Line("Corrects", f"version {entry.corrects_entry_version} of {corrected}")
        since = self._now.get(entry.entry_id, entry).corrected_by
        for late_id in since:
            # A correction that was itself retracted corrects nothing any more.
            if late_id not in self._hidden and self.of_same(entry, late_id):
                label = "Corrected by" if late_id in entry.corrected_by else "Corrected since this copy was issued by"
                yield Line(
                    label, f"{self.named(late_id, zone)}; it corrects version {self._corrected_version(late_id)}"
                )

    def of_same(self, entry: Entry, other_id: str) -> bool:
        """Whether another entry is about the same subject, or is not known."""
        # An earlier release let a newborn's report correct its mother's: a copy of one says nothing of the other.
        other = self._entry(other_id)
        return other is None or _subject(other) == _subject(entry)

    def _entry(self, entry_id: str) -> Entry | None:
        return self._now.get(entry_id) or self.entries.get(entry_id)

    def _corrected_version(self, late_id: str) -> int:
        return self._now[late_id].corrects_entry_version if late_id in self._now else 0

    def named(self, entry_id: str, zone: ZoneInfo) -> str:
        """An entry by its title, its first version's time and its id."""
        entry = self._entry(entry_id)
        if entry is None or not entry.versions:
            return f"entry {entry_id}"
        first = entry.versions[0]
        what = first.content.title or first.content.template
        return f"{what} of {said_time(first.occurred_at, zone)}, entry {entry_id}"


def _subject(entry: Entry) -> str:
    # Whom it is about by now: of two ids of one newborn one was taken back. An older server does not say.
    return entry.subject_id or (entry.versions[-1].content.subject_id if entry.versions else "")
