"""One entry for each Composition and DocumentReference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importers.fhir import document_templates as templates
from importers.fhir.codes import label
from importers.fhir.json_value import Resource, child, reference_to, rows, text
from importers.fhir.narrative import attached_text, plain, referred
from importers.fhir.visit_facts import slug
from ledger.api.v1.common_pb2 import Attachment, EntryContent, Section

GENERAL = "general"
TEMPLATE_VERSION = 1
_NOTHING_SAID = "(no text in the source)"


@dataclass(frozen=True)
class Part:
    """One titled piece of a document's text."""

    title: str
    text: str


def document_content(document: Resource) -> EntryContent:
    """What a document says, under its template where it fits, else as `general`."""
    parts = list(_parts(document))
    template = _template_of(document)
    fitted = _fit(template, parts) if template else None
    return EntryContent(
        template=template.template if template and fitted else GENERAL,
        template_version=TEMPLATE_VERSION,
        title=text(document, "title") or label(child(document, "type")) or text(document, "resourceType"),
        sections=fitted or _general(parts),
        attachments=_attachments(document),
        language=text(document, "language") or text(document, "content", 0, "attachment", "language"),
    )


def author_of(document: Resource) -> str:
    """Practitioner who signed: the attester, else the first author who is one; empty where nobody is named."""
    attesters = (reference_to("Practitioner", each, "party") for each in rows(document, "attester"))
    authors = (reference_to("Practitioner", each) for each in rows(document, "author"))
    return next((id_ for id_ in (*attesters, *authors) if id_), "")


def _template_of(document: Resource) -> templates.DocumentTemplate | None:
    codings = rows(document, "type", "coding")
    found = (templates.BY_LOINC.get(text(coding, "code")) for coding in codings)
    return next((template for template in found if template), None)


def _parts(document: Resource) -> Iterator[Part]:
    """Pieces with text, in the source's order, nested sections after their own section."""
    for section in rows(document, "section"):
        yield from _section_parts(section)
    for content in rows(document, "content"):
        attachment = child(content, "attachment")
        if said := attached_text(attachment):
            yield Part(text(attachment, "title") or "Text", said)


def _section_parts(section: object) -> Iterator[Part]:
    title = text(section, "title") or label(child(section, "code")) or "Section"
    if said := plain(text(section, "text", "div")):
        yield Part(title, said)
    for inner in rows(section, "section"):
        yield from _section_parts(inner)


def _fit(template: templates.DocumentTemplate, parts: list[Part]) -> list[Section] | None:
    """The template's sections; None where a part has no place or a required section no text."""
    placed: dict[str, list[Part]] = {code: [] for code in template.sections}
    for part in parts:
        code = template.place_of(part.title)
        if code is None:
            return None
        placed[code].append(part)
    if any(not placed[code] for code in template.required):
        return None
    return [Section(code=code, text=_joined(found)) for code, found in placed.items() if found]


def _joined(parts: list[Part]) -> str:
    """One part as it is; several each under its title."""
    return parts[0].text if len(parts) == 1 else "\n\n".join(f"{part.title}:\n{part.text}" for part in parts)


def _general(parts: list[Part]) -> list[Section]:
    taken: set[str] = set()
    return [Section(code=_free(slug(part.title), taken), text=part.text) for part in parts] or [
        Section(code="text", text=_NOTHING_SAID)
    ]


def _free(code: str, taken: set[str]) -> str:
    """A section code that the entry does not have yet."""
    base = code.replace("-", "_") or "section"
    numbered = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    found = next(each for each in (base, *numbered) if each not in taken)
    taken.add(found)
    return found


def _attachments(document: Resource) -> list[Attachment]:
    place = f"{text(document, 'resourceType')}/{text(document, 'id')}"
    found = (referred(child(each, "attachment"), place) for each in rows(document, "content"))
    return [each for each in found if each]
