"""The rule packs that come with this release, by id and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.domain.faults import refuse
from ledger.domain.refusal import RefusalKind
from ledger.domain.rule_pack import BadRulePack, RulePack


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
            raise refuse(RefusalKind.STATE, "context.hospital", "UNKNOWN_RULE_PACK", "this release does not have it")
        return self.by_version[pack_id, max(versions)]
