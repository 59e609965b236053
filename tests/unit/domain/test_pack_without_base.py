"""A layer that names a base which is not there is told of its own faults, and of none that the base would mend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.defaults import default_templates
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.rulebook_commands import AddRulePack
from tests.unit.domain.given import ARCHIVIST
from tests.unit.domain.test_pack_text import OVERLAY, bases
from tests.unit.domain.test_rulebook import HOUSE, Book, with_house

HEAD = 'id = "x"\nversion = 1\nextends = "mars@1"\n'
NO_BASE = "line 3: extends: id@version of a pack that is there is required"


def told(text: str) -> list[str]:
    """The faults of a text, of which every shipped template may be named."""
    with pytest.raises(BadRulePack) as caught:
        read_pack(text, bases(), lambda _: default_templates().by_id)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    "layer",
    [
        "",
        "[keeping]\nloan_days = { figure = 10, source = 'house', unconfirmed = false }\n",
        "[retention.INPATIENT]\nyears = 40\nsource = 'house'\nunconfirmed = false\n",
        "[[deadline]]\nid = 'front_page'\nfigure = 12\nsource = 'house'\nunconfirmed = false\n",
        "[[mandatory]]\nid = 'operation'\nonly_if = 'surgery'\nsource = 'house'\n",
        "[[mandatory]]\nid = 'course'\nonly_if_past = 'of_the_base'\n",
        "[short_stay]\ntemplates = ['in_out_24h_record']\n",
        "[quality]\npass_from = 80\n",
        "[[quality_item]]\nid = 'LANGUAGE'\npoints = 4\n",
        "[[quality_grade]]\nid = 'A'\nfrom_score = 95\n",
        "retention_state = 'CA'\n",
        "[[state_retention]]\nid = 'CA'\nyears = 9\nsource = 'house'\nunconfirmed = true\n",
        "[calendar]\nholidays = [2026-12-25]\n",
        "[roles]\nseal_record = { roles = ['legal'], source = 'house', unconfirmed = true }\n",
        "[late_items]\nbeside = ['course_note']\nsource = 'house'\nunconfirmed = true\n",
        "[final_signers]\nresult = ['physician']\n",
    ],
)
def test_a_right_layer_is_told_of_its_base_alone(layer: str) -> None:
    """Who mistypes one name mends one name: laid over the base that is meant all of these are whole."""
    assert told(HEAD + layer) == [NO_BASE]


@pytest.mark.parametrize("name", ["mars@1", "cn-2010@2", "cn-2010", ""])
def test_whatever_is_wrong_with_the_name(name: str) -> None:
    """No such pack, no such version, no version, no name."""
    line = 'extends = "cn-2010@1"'
    (fault,) = told(OVERLAY.replace(line, f'extends = "{name}"'))
    assert fault == NO_BASE


def test_what_the_text_gives_itself_is_told_beside_it() -> None:
    """Shapes, keys, values, sources and templates, each at its line: nobody mends one to be told of the next."""
    text = """colour = 1
transfer_note = 3
[keeping]
loan_days = { figure = 0, source = "house", unconfirmed = false }
loan_weeks = { figure = 1 }
[retention.MARS]
years = 1
[[mandatory]]
id = "summary"
visits = ["SPA"]
all_of = ["horoscope"]
source = "house"
[[mandatory]]
id = "summary"
[[deadline]]
id = "front_page"
figure = 9
unit = "fortnights"
templates = ["dusk_note"]
late = 1
unconfirmed = true
[[code_table]]
file = "/etc/passwd"
"""
    own = [
        "line 1: mandatory.summary: stands twice",
        NO_BASE,
        "line 4: colour: no such key",
        "line 5: transfer_note: a table is required",
        "line 7: keeping.loan_days.figure: a whole number from 1 to 10000 is required",
        "line 8: keeping.loan_weeks: no such figure",
        "line 9: retention.MARS.source: a layer that gives a figure says where it is from",
        "line 9: retention.MARS.unconfirmed: a layer that gives a figure says where it is from",
        "line 9: retention.MARS: no such visit type",
        "line 13: mandatory[0].visits: no such visit type SPA",
        "line 14: mandatory[0].all_of: no such template horoscope",
        "line 18: deadline[0].source: a layer that gives a figure says where it is from",
        "line 21: deadline[0].unit: one of days, hours, minutes, working_days",
        "line 22: deadline[0].templates: no such template dusk_note",
        "line 23: deadline[0].late: no such key",
        "line 26: code_table[0].file: the name of a file, without a folder",
    ]
    assert told(HEAD + text) == own


def test_a_name_that_a_layer_lacks_is_told_once() -> None:
    """It has an id and a version of its own, whatever it is laid over."""
    assert told('extends = "mars@1"\n') == [
        "line 1: extends: id@version of a pack that is there is required",
        "line 1: id: a layer has its own",
        "line 1: version: a layer has its own",
    ]


def test_templates_of_some_pack_may_be_those_of_the_base_that_is_meant() -> None:
    """Whose they are is not known: what nobody has is told, what somebody has is not."""
    book = with_house()
    layer = HOUSE.replace('id = "house"', 'id = "ward"', 1).replace("cn-2010@1", "huose@1")
    assert "triage_note" in layer
    keeper = replace(ARCHIVIST, role="quality_office")
    assert [each[2] for each in book.refused(AddRulePack(layer), actor=keeper)] == [NO_BASE]
    unknown = [each[2] for each in Book().refused(AddRulePack(layer), actor=keeper)]
    assert [each.partition(": ")[2] for each in unknown] == [
        "extends: id@version of a pack that is there is required",
        "mandatory[0].all_of: no such template triage_note",
    ]
