"""The code tables that an entry needs: ICD-10 of the WHO, and those of the hospital that its rule pack names."""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from pathlib import Path

from ledger.application.who_icd10 import SYSTEM as WHO_ICD10
from ledger.application.who_icd10 import who_icd10
from ledger.domain.code_tables import BadCodeTable, CodeTable, CodeTables, NamedTable, read_table
from ledger.domain.coded_values import systems_of
from ledger.domain.rule_pack import RulePack
from ledger.domain.values import EntryContent

_log = logging.getLogger(__name__)
FOLDER = "code-tables"
"""Folder below the data folder in which hospitals' own tables lie."""
TABLES_KEPT_MAX = 32
"""Tables of hospitals that a process keeps in memory."""


class KnownCodes:
    """Reads a table when an entry first names its system; `folder` holds the hospitals' own tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[NamedTable, CodeTable] = {}

    async def tables(self, content: EntryContent, pack: RulePack) -> CodeTables:
        """The tables of the systems that the content names."""
        systems = systems_of(content)
        found = {each.system: await self._table(each) for each in pack.code_tables if each.system in systems}
        if WHO_ICD10 in systems and WHO_ICD10 not in found:
            # A thread, since reading it takes longer than other commands may wait.
            found[WHO_ICD10] = await asyncio.to_thread(who_icd10)
        return found

    async def _table(self, named: NamedTable) -> CodeTable | None:
        if (known := self._read.get(named)) is not None:
            return known
        try:
            table = await asyncio.to_thread(load_table, self._folder, named)
        except (OSError, BadCodeTable) as error:
            _log.warning("a code table of a rule pack cannot be read", extra={"table": named.id, "reason": str(error)})
            return None
        if len(self._read) >= TABLES_KEPT_MAX:
            self._read.pop(next(iter(self._read)), None)
        self._read[named] = table
        return table


def load_table(folder: Path, named: NamedTable) -> CodeTable:
    """A table of the hospital. Raises OSError, and BadCodeTable with every fault by its line."""
    data = (folder / named.file).read_bytes()
    if sha256(data).hexdigest() != named.sha256:
        raise BadCodeTable((f"line 1: {named.file} is not the file that the pack names: its digest differs",))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadCodeTable((f"line {line}: not UTF-8",)) from error
    return read_table(text, named.system, named.version, named.source)
