"""Templates from their text: read, checked; every fault with its line."""

from __future__ import annotations

from ledger.domain.pack_layers import PACK_ID
from ledger.domain.pack_text import TEXT_CHARACTERS_MAX
from ledger.domain.template_shape import template_faults
from ledger.domain.templates import BadTemplates, TemplateSet
from ledger.domain.toml_lines import NotToml, key_lines, line_of, parsed, placed

_KEYS = frozenset({"pack", "template"})


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
