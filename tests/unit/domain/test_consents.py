"""A consent counts by what was decided in it: the last word counts, and each operation has one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import AmendEntry, EndCare, RetractEntry, SubmitRecord
from ledger.domain.course_commands import AcceptDeficiency
from ledger.domain.defaults import default_templates
from ledger.domain.pack_text import read_pack
from ledger.domain.refusal import Refused
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.state_guards import MANDATORY_THERE
from ledger.domain.values import AmendmentKind, Coding, Disposition, EntryContent, Field, Section
from tests.unit.domain.given import (
    CONSENT,
    MANDATORY,
    NOW,
    RECORD,
    TRAINEE,
    Stream,
    active,
    facts,
    front_page_with,
    narrative,
    signed,
)
from tests.unit.domain.test_mandatory_entries import HEAD_OF_LAYER, PACK
from tests.unit.domain.test_pack_text import bases

OPERATED, REPORT = narrative("operation_end", "note"), narrative("operation_record", "procedure", "findings", "course")
CODED = front_page_with(Coding("urn:cn:icd-9-cm-3", "47.0901"))
RULE = "a signed informed_consent is required (operation_consent: "
_INDEX = next(index for index, each in enumerate(PACK.mandatory) if each.id == "operation_consent")
_LINE = HEAD_OF_LAYER.count("\n") + 1
_OF_RULE = f"{HEAD_OF_LAYER}[[mandatory]]\nid = 'operation_consent'\nsource = 'house'\n"


def consent(decision: str = "agreed", hours_before: int = 6, kind: str = "operation") -> EntryContent:
    """Decided so many hours ago."""
    subject, risks, decided = CONSENT.sections
    said = {
        "decision": Field("decision", coding=Coding("urn:ledger:consent-decision", decision)),
        "decided_at": Field("decided_at", time=NOW - timedelta(hours=hours_before)),
    }
    about = Field("kind", coding=Coding("urn:ledger:consent", kind))
    return replace(
        CONSENT,
        sections=(
            replace(subject, fields=(about, *subject.fields[1:])),
            risks,
            replace(decided, fields=tuple(said.get(each.code, each) for each in decided.fields)),
        ),
    )


def stay(*told: EntryContent | int) -> Stream:
    """A stay that owes consents alone: contents as they come, a number is an operation so many hours ago."""
    stream = active()
    for content in (*MANDATORY[:3], MANDATORY[4], CODED):
        stream.entry(content)
    for each in told:
        if isinstance(each, int):
            stream.entry(OPERATED, occurred_at=NOW - timedelta(hours=each))
            stream.entry(REPORT)
        else:
            stream.entry(each)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    return stream


def owed(stream: Stream) -> list[str]:
    """What is missing, in the words of the refusal."""
    return [each.text for each in MANDATORY_THERE.faults(stream.record, facts())]


@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_a_consent_that_was_refused_or_withdrawn_is_none(decision: str) -> None:
    """The record is not handed in on it, and the refusal names the rule; an accepted deficiency settles it."""
    stream = stay(consent(decision), 3)
    with pytest.raises(Refused) as caught:
        stream.when(SubmitRecord(RECORD))
    (fault,) = caught.value.violations
    assert (fault.field, fault.rule) == ("record_id", "MISSING_ENTRY")
    assert fault.text.startswith(RULE)
    assert fault.text.endswith("with operation in kind, the last with agreed in decision)")
    (submission,) = (each for each in allowed_actions(stream.record, facts()) if each.name == "SubmitRecord")
    assert submission.reasons == (fault,)
    stream.when(AcceptDeficiency(RECORD, None, "informed_consent", "it was operated on against the patient's word"))
    stream.when(SubmitRecord(RECORD))


@pytest.mark.parametrize(
    ("told", "enough"),
    [
        ((consent("agreed", 6), 3), True),
        ((consent("agreed", 6), consent("refused", 5), 3), False),
        ((consent("agreed", 6), consent("withdrawn", 5), 3), False),
        ((consent("refused", 6), consent("agreed", 5), 3), True),
        # Written down in another order than it was said in.
        ((consent("refused", 5), consent("agreed", 6), 3), False),
        ((consent("agreed", 5), consent("refused", 6), 3), True),
        # Of one moment the last that was written counts.
        ((consent("agreed", 6), consent("refused", 6), 3), False),
        ((consent("refused", 6), consent("agreed", 6), 3), True),
        # Of the moment of the operation itself: before it.
        ((consent("agreed", 3), 3, consent("refused", 2)), True),
        ((consent("agreed", 6), consent("refused", 3), 3), False),
        # An operation that nobody agreed to before; agreed to afterwards, as in an emergency.
        ((3, consent("agreed", 1)), True),
        ((consent("refused", 6), 3, consent("agreed", 1)), True),
        # That word is of the operation which was done without one: a refusal after both is of another.
        ((consent("agreed", 2), 3, consent("refused", 1)), True),
    ],
)
def test_the_last_word_before_an_operation_counts(told: tuple[EntryContent | int, ...], *, enough: bool) -> None:
    """By when it was decided, not by when it was written; a word after the operation takes back nothing of it."""
    assert (owed(stay(*told)) == []) is enough


@pytest.mark.parametrize(
    ("told", "enough"),
    [
        ((consent(hours_before=9), consent(hours_before=9), 6, 3), True),
        ((consent(hours_before=9), 6, consent(hours_before=5), 3), True),
        # Who agreed to a first operation and refuses a second that is not done agreed to the first.
        ((consent(hours_before=9), 6, consent("refused", 5)), True),
        ((consent(hours_before=9), 6, consent("refused", 5), 3), False),
        ((consent(hours_before=9), 6, 3), False),
        ((consent(hours_before=9), consent(hours_before=9), 6, 3, consent("refused", 2)), True),
        ((consent(hours_before=9), consent(hours_before=9), 6, consent("refused", 5), 3), False),
    ],
)
def test_each_operation_asks_for_a_consent_that_stood(told: tuple[EntryContent | int, ...], *, enough: bool) -> None:
    """One consent serves one operation."""
    assert (owed(stay(*told)) == []) is enough


@pytest.mark.parametrize("kind", ["anaesthesia", "transfusion", "other"])
def test_what_else_is_agreed_to_or_refused_says_nothing_of_the_operation(kind: str) -> None:
    """A consent counts for what it is to alone."""
    assert owed(stay(consent(kind=kind), 3))
    assert not owed(stay(consent(), consent("refused", 5, kind), 3))


def test_a_yes_is_signed_by_somebody_qualified_and_a_no_by_whoever_wrote_it() -> None:
    """A trainee's consent waits for a superior; what a trainee wrote of a refusal is heard at once."""
    for before, said in (((), consent()), ((consent(),), consent("refused", 5))):
        stream = stay(*before, 3)
        stream.entry(said, signer=TRAINEE)
        assert any(each.startswith(RULE) for each in owed(stream))


def test_a_consent_counts_as_it_was_amended_and_no_more_once_retracted() -> None:
    """What stands is what counts."""
    stream = stay(consent("refused"), 3)
    (entry_id,) = (each for each, found in stream.record.entries.items() if found.last.content == consent("refused"))
    assert owed(stream)
    stream.when(AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, "ticked wrongly", consent(), signed()))
    assert not owed(stream)
    stream.when(RetractEntry(RECORD, entry_id, "another patient's"))
    assert owed(stream)


def test_every_operation_without_a_consent_is_accepted_by_itself() -> None:
    """Refused consents are none to be counted against what may be accepted: the record can be handed in."""
    stream = stay(consent("refused", 9), 6, consent("refused", 5), 3)
    accept = AcceptDeficiency(RECORD, None, "informed_consent", "nobody can ask any more")
    stream.when(accept)
    assert owed(stream)
    stream.when(accept)
    assert not owed(stream)
    assert ("record_id", "ALREADY_ACCEPTED") in stream.refused(accept)[1]


def test_care_given_elsewhere_and_packs_that_ask_for_none_are_not_asked() -> None:
    """A layer that takes the conditions away counts documents, whatever they say."""
    plain, _ = read_pack(f"{_OF_RULE}about = ''\nlatest = ''\n", bases())
    stream = stay(consent("refused"), 3)
    assert owed(stream)
    assert not list(MANDATORY_THERE.faults(stream.record, facts(pack=plain)))


def faults_of(conditions: str, head: str = _OF_RULE) -> Iterator[str]:
    """What is wrong with conditions of the rule, templates looked for."""
    with pytest.raises(BadRulePack) as caught:
        read_pack(head + conditions, bases(), lambda _: default_templates().by_id)
    yield from caught.value.faults


@pytest.mark.parametrize(
    ("conditions", "faults"),
    [
        ("latest = 'agreed'\n", [".latest: a table with field and codes is required"]),
        ("latest = { codes = [] }\n", [".latest.codes: a list of codes is required"]),
        ("latest = { codes = [1] }\n", [".latest.codes: a list of codes is required"]),
        ("latest = { field = 3 }\n", [".latest.field: the code of a field is required"]),
        ("latest = { at = 3 }\n", [".latest.at: the code of a field is required"]),
        ("latest = { code = 'agreed' }\n", [".latest.code: no such key"]),
        ("about = { at = 'decided_at' }\n", [".about.at: no such key"]),
        (
            "latest = { codes = ['perhaps', 'agreed'] }\n",
            [".latest.codes: decision of informed_consent takes no code perhaps"],
        ),
        ("latest = { field = 'mood' }\n", [".latest.field: informed_consent has no coded field mood"]),
        ("latest = { field = 'relation' }\n", [".latest.field: informed_consent has no coded field relation"]),
        ("latest = { at = 'decided_by' }\n", [".latest.at: informed_consent has no time decided_by"]),
    ],
)
def test_conditions_that_nothing_could_meet_are_refused_at_their_line(conditions: str, faults: list[str]) -> None:
    """The field is a coded one of the template, the codes are its own: else a record could never be handed in."""
    assert list(faults_of(conditions)) == [f"line {_LINE + 3}: mandatory[{_INDEX}]{each}" for each in faults]


def test_a_layer_that_says_which_entries_count_says_where_that_is_from() -> None:
    """The source of the rule below is none for another condition."""
    head = _OF_RULE.replace("source = 'house'\n", "")
    text = "a layer that says which entries count says where that is from"
    assert list(faults_of("latest = { codes = ['refused'] }\n", head)) == [
        f"line {_LINE}: mandatory[{_INDEX}].source: {text}"
    ]


def test_a_layer_asks_the_same_of_another_document() -> None:
    """Any template with a coded field: the rule is data."""
    text = (
        "[[mandatory]]\nid = 'transfusion_consent'\nvisits = ['INPATIENT']\nall_of = ['informed_consent']\n"
        "about = { field = 'kind', codes = ['transfusion'] }\nlatest = { field = 'decision', codes = ['agreed'] }\n"
        "source = 'house'\n"
    )
    own, _ = read_pack(HEAD_OF_LAYER + text, bases(), lambda _: default_templates().by_id)
    for decision, asked in (("agreed", False), ("refused", True)):
        stream = stay(consent(decision, kind="transfusion"))
        assert bool(list(MANDATORY_THERE.faults(stream.record, facts(pack=own)))) is asked


def test_a_consent_without_the_field_counts_for_nothing() -> None:
    """A text of an earlier release's template that codes nothing says nothing."""
    bare = EntryContent("informed_consent", 1, sections=(Section("subject", "Appendectomy"),))
    stream = stay(3)
    entry_id = stream.entry(consent())
    entry = stream.record.entries[entry_id]
    stripped = replace(entry, versions=(replace(entry.last, content=bare),))
    assert not owed(stream)
    stream.state = replace(stream.record, entries=stream.record.entries.having(entry_id, stripped))
    assert owed(stream)
