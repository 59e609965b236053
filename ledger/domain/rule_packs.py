"""The rule packs that this release knows, by id and version, and which of them counts for a command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.domain.faults import refuse
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.state import RecordState, StreamState


@dataclass(frozen=True)
class RulePacks:
    """Every version is kept, since a record goes by the one with which it was registered."""

    by_version: Mapping[tuple[str, int], RulePack]

    @classmethod
    def of(cls, packs: Iterable[RulePack]) -> RulePacks:
        """The packs. Raises BadRulePack where two are the same version of one."""
        found: dict[tuple[str, int], RulePack] = {}
        for pack in packs:
            if found.setdefault((pack.id, pack.version), pack) is not pack:
                raise BadRulePack((f"{pack.id} {pack.version}: there twice",))
        return cls(found)

    def __contains__(self, pack_id: str) -> bool:
        return any(known == pack_id for known, _ in self.by_version)

    def newest(self, pack_id: str) -> RulePack:
        """The version that new records get. Raises Refused where this release has none."""
        versions = [version for known, version in self.by_version if known == pack_id]
        if not versions:
            raise _unknown("context.hospital")
        return self.by_version[pack_id, max(versions)]

    def for_stream(self, state: StreamState | None, pack_id: str) -> RulePack:
        """A record's own pack; the newest version of `pack_id` for everything else.

        Raises Refused where this release does not have it: a later one registered the record.
        """
        if not isinstance(state, RecordState):
            return self.newest(pack_id)
        pack = self.by_version.get((state.rule_pack, state.rule_pack_version))
        if pack is None:
            raise _unknown("record_id")
        return pack


def _unknown(field: str) -> Refused:
    return refuse(RefusalKind.STATE, field, "UNKNOWN_RULE_PACK", "this release does not have the rule pack")
