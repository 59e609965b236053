"""A hospital's rules as its ledger has them, as files beside a record's evidence: what its pack and templates said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

import grpc.aio

from ledger.api.v1.rulebook_events_pb2 import CodeTableNoted, RulePackAdded, TemplatesAdded
from ledger.api.v1.rulebook_pb2 import ListRulePacksRequest
from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from ledger.domain.pack_layers import PACK_ID
from ledger.trust.envelope import decode

CODE_TABLES = "code-tables.tsv"


class NotARule(ValueError):
    """What the service opened is no event of a rulebook."""


async def rulebook_id(channel: grpc.aio.Channel, hospital: str) -> str:
    """The stream of the hospital's rulebook; empty where an earlier release wrote none."""
    return (await RulebookServiceStub(channel).ListRulePacks(ListRulePacksRequest(hospital=hospital))).rulebook_id


def rule_files(opened: Mapping[bytes, bytes]) -> dict[str, str]:
    """Text by name of file, from the opened bodies of a rulebook in order of version. Raises NotARule, DecodeError."""
    files, tables = dict[str, str](), list[str]()
    for number, (envelope, body) in enumerate(opened.items(), 1):
        match decode(envelope).type:
            case "ledger.v1.RulePackAdded":
                files.update(_packs(RulePackAdded.FromString(body)))
            case "ledger.v1.TemplatesAdded":
                added = TemplatesAdded.FromString(body)
                files[f"templates-{number}.toml"] = _as_said(added.text, added.sha256)
            case "ledger.v1.CodeTableNoted":
                noted = CodeTableNoted.FromString(body)
                tables.append(
                    "\t".join((noted.system, noted.version, noted.sha256.hex(), str(noted.codes), noted.source))
                )
            case _:
                continue
    return files | ({CODE_TABLES: "\n".join([*tables, ""])} if tables else {})


def _packs(added: RulePackAdded) -> Iterator[tuple[str, str]]:
    """With what it is laid over."""
    packs = (
        (added.pack_id, added.version, _as_said(added.text, added.sha256)),
        *((each.id, each.version, each.text) for each in added.layers),
    )
    for id_, version, text in packs:
        # It names a file here, and whoever serves it is not believed.
        if not PACK_ID.fullmatch(id_):
            raise NotARule
        yield f"{id_}@{version}.toml", text


def _as_said(text: str, digest: bytes) -> str:
    if sha256(text.encode()).digest() != digest:
        raise NotARule
    return text
