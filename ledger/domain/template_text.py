"""Templates from their text: read, checked; every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from ledger.domain.pack_layers import PACK_ID
from ledger.domain.pack_text import TEXT_CHARACTERS_MAX
from ledger.domain.template_shape import template_faults
from ledger.domain.templates import BadTemplates, TemplateSet
from ledger.domain.toml_lines import NotToml, key_lines, line_of, parsed, placed

_KEYS = frozenset({"pack", "template"})
_BEGIN = re.compile(r"^(?=\[\[template\]\]\s*$)", re.MULTILINE)


@dataclass(frozen=True)
class TemplateTexts:
    """A text of templates, template by template."""

    head: str = ""
    """What stands before the first."""
    by_name: Mapping[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def of(self, names: Container[tuple[str, int]]) -> str:
        """Those of these names, in their order; of all names the whole text as it was."""
        return self.head + "".join(text for name, text in self.by_name.items() if name in names)


def read_templates(text: str) -> TemplateSet:
    """The templates of a text. `pack` at its top makes them those of one pack and of the layers over it.

    Raises BadTemplates: every fault as `line N: path: what`.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise BadTemplates((f"line 1: at most {TEXT_CHARACTERS_MAX} characters",))
    try:
        data = parsed(text)
    except NotToml as error:
        raise BadTemplates((str(error),)) from error
    faults = [f"{name}: no such key" for name in data if name not in _KEYS]
    pack = data.get("pack", "")
    if "pack" in data and not (isinstance(pack, str) and PACK_ID.fullmatch(pack)):
        faults.append("pack: the id of a rule pack is required, or nothing for templates of every pack")
    if faults := [*faults, *template_faults(data)]:
        lines = key_lines(text)
        raise BadTemplates(placed(faults, lambda path: line_of(path, lines)))
    return TemplateSet.from_data(data, pack)


def parted(text: str) -> TemplateTexts:
    """A text that can be read, so that some of its templates can be handed on without the others."""
    head, *each = _BEGIN.split(text)
    names = (next(iter(read_templates(head + part).templates)) for part in each)
    return TemplateTexts(head, dict(zip(names, each, strict=True)))
