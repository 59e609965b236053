"""Templates and fields that a rule pack names: each must be there, else an entry is demanded that nobody can write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.domain.coded_field import CodedField
from ledger.domain.pack_roles import ANY
from ledger.domain.rule_pack import RulePack
from ledger.domain.templates import FieldRule, Template

TemplatesById = Mapping[str, tuple[Template, ...]]
"""The versions of each template by its id."""


def unknown_templates(pack: RulePack, known: TemplatesById) -> list[str]:
    """A fault for each place that names a template which is not there."""
    return [f"{path}: no such template {name}" for path, name in _named(pack) if name not in known]


def unfit_templates(pack: RulePack, known: TemplatesById) -> list[str]:
    """A fault for each mandatory template and type of visit of its rule in which nobody writes it."""
    return [
        f"mandatory[{index}].{rule.key}: {name} is not written in visits of type {visit}"
        for index, rule in enumerate(pack.mandatory)
        for name in sorted(rule.templates & known.keys())
        for visit in sorted(rule.visits)
        if not any(each.fits(visit) for each in known[name])
    ]


def unknown_fields(pack: RulePack, known: TemplatesById) -> list[str]:
    """A fault for each condition on a field, or on a code in it, that no version of its rule's templates has."""
    return [
        fault
        for index, rule in enumerate(pack.mandatory)
        for key, asked in (("about", rule.about), ("latest", rule.latest))
        if asked is not None
        for name in sorted(rule.templates & known.keys())
        for fault in _unheld(f"mandatory[{index}].{key}", asked, name, known[name])
    ]


def _unheld(path: str, asked: CodedField, name: str, versions: tuple[Template, ...]) -> Iterator[str]:
    coded = [each for each in _rules_of(asked.field, versions) if each.type == "coding"]
    if asked.field and not coded:
        yield f"{path}.field: {name} has no coded field {asked.field}"
    for code in sorted(asked.codes) if coded else ():
        if not any(not each.codes or code in each.codes for each in coded):
            yield f"{path}.codes: {asked.field} of {name} takes no code {code}"
    if asked.at and not any(each.type == "time" for each in _rules_of(asked.at, versions)):
        yield f"{path}.at: {name} has no time {asked.at}"


def _rules_of(field: str, versions: tuple[Template, ...]) -> Iterator[FieldRule]:
    sections = (section for each in versions for section in each.sections.values())
    return (section.fields[field] for section in sections if section.fields and field in section.fields)


def _named(pack: RulePack) -> Iterator[tuple[str, str]]:
    for index, rule in enumerate(pack.mandatory):
        for name in sorted(rule.templates):
            yield f"mandatory[{index}].{rule.key}", name
    for name in pack.final_signers:
        if name != ANY:
            yield f"final_signers.{name}", name
    for key, names in (("templates", pack.late_items), ("beside", pack.late_beside)):
        yield from ((f"late_items.{key}", name) for name in sorted(names))
    yield from _of_notes(pack)
    for index, rule in enumerate(pack.deadlines.rules):
        for name in rule.templates:
            yield f"deadline[{index}].templates", name
        if rule.start_template:
            yield f"deadline[{index}].start_template", rule.start_template


def _of_notes(pack: RulePack) -> Iterator[tuple[str, str]]:
    for table, note in (("transfer_note", pack.transfer_note), ("move_note", pack.move_note)):
        for name in sorted(note.templates if note else ()):
            yield f"{table}.templates", name
