"""Which visits a doctor's confirmation archives is the pack's: one that it does not name is handed in and judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.commands import ArchiveRecord, PassQuality, SubmitRecord
from ledger.domain.defaults import default_pack
from ledger.domain.pack_text import read_pack
from ledger.domain.values import VisitType
from tests.unit.domain.given import ARCHIVIST, PHYSICIAN, RECORD, closed
from tests.unit.domain.test_pack_text import bases, faults_of

LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n[short_path]\n'
SOURCED = "source = 'house'\nunconfirmed = false\n"


@pytest.mark.parametrize("pack_id", ["cn-2010", "core-2018", "us-generic"])
def test_the_shipped_packs_let_outpatients_and_emergencies_go_by_it(pack_id: str) -> None:
    """A pack that says nothing lets the same, and one that names none lets none."""
    assert default_pack(pack_id).short_path == {VisitType.OUTPATIENT, VisitType.EMERGENCY}
    nobody = read_pack(LAYER + SOURCED + "visits = []\n", bases())[0]
    assert nobody.short_path == frozenset()


def test_a_visit_that_the_pack_does_not_name_takes_the_long_path() -> None:
    """Refused at the doctor's confirmation; handed in, judged, and archived by the records office."""
    emergencies = read_pack(LAYER + SOURCED + 'visits = ["EMERGENCY"]\n', bases())[0]
    pack = replace(default_pack(), short_path=emergencies.short_path)
    stream = closed(VisitType.OUTPATIENT)
    refused = stream.refused(ArchiveRecord(RECORD), pack=pack, actor=PHYSICIAN)[1]
    assert {rule for _, rule in refused} == {"PHASE_NOT_ALLOWED", "ROLE_NOT_ALLOWED"}
    stream.when(SubmitRecord(RECORD), pack=pack)
    stream.when(PassQuality(RECORD), pack=pack)
    stream.when(ArchiveRecord(RECORD), pack=pack, actor=ARCHIVIST)
    by_doctor = closed(VisitType.EMERGENCY)
    by_doctor.when(ArchiveRecord(RECORD), pack=pack, actor=PHYSICIAN)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("visits = ['SPA']\n" + SOURCED, "short_path.visits: no such visit type SPA"),
        ("visits = 'EMERGENCY'\n" + SOURCED, "short_path.visits: a list of visit types is required"),
        ("visits = []\ncolour = 1\n" + SOURCED, "short_path.colour: no such key"),
        ("visits = []\nunconfirmed = false\n", "short_path.source: a layer that names visits says where that is from"),
        ("visits = []\nsource = ' '\nunconfirmed = false\n", "short_path.source: where the rule is from is required"),
        ("visits = []\nsource = 'x'\nunconfirmed = 1\n", "short_path.unconfirmed: true or false is required"),
    ],
)
def test_what_is_wrong_with_it_is_named(text: str, fault: str) -> None:
    """With its path and line."""
    (found,) = faults_of(LAYER + text)
    assert fault in found
