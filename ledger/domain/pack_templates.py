"""Templates that a rule pack names: each must be there, else an entry is demanded that nobody can write."""

from __future__ import annotations

from collections.abc import Container, Iterator

from ledger.domain.rule_pack import RulePack

ANY = "*"
"""In `final_signers`: every template that is not named."""


def unknown_templates(pack: RulePack, known: Container[str]) -> list[str]:
    """A fault for each place that names a template which is not there."""
    return [f"{path}: no such template {name}" for path, name in _named(pack) if name not in known]


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
