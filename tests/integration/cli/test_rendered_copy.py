"""A copy as HTML on paper: a real browser prints it, and its pages are read back."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from ledger.cli.printed_copy.copied_record import NAME_CHARACTERS_MAX
from ledger.cli.printed_copy.html_page import MARK_CHARACTERS_MAX, html_copy
from tests.services.chromium import Print
from tests.unit.cli.test_printed_copy import ON_EACH, copied, pages_of, squeezed

NOTES = [f"第{number}天：患者今日无胸痛，生命体征平稳。No chest pain on day {number}. " * 20 for number in range(1, 13)]
MARK_MAX = 4000
"""Characters of a mark that a copy may have."""


def test_every_page_that_a_browser_prints_says_whose_it_is(chromium: Print) -> None:
    """Hospital, patient, record, version, head, mark and the number of the page on each; every note is there whole."""
    pages = [_plain(page) for page in pages_of(chromium(html_copy(copied(*NOTES))))]
    assert len(pages) > 1
    whole = ""
    for number, page in enumerate(pages, 1):
        for said in (*ON_EACH, f"Page {number} of {len(pages)}"):
            assert _plain(said) in page
        # A note may begin on one page and end on the next: it is whole without what stands on each.
        whole += page.replace(f"Page{number}of{len(pages)}", "").partition(_plain(ON_EACH[-1]))[2]
    assert all(_plain(note) in whole for note in NOTES)


def test_no_name_and_no_mark_is_too_long_for_a_head_on_every_page(chromium: Print) -> None:
    """Browsers repeat no head above a quarter of the page: a long mark begins on each, and is whole before all else."""
    long = replace(copied(*NOTES), mark="印" * MARK_MAX, patient="长" * 4000, hospital="院" * 4000)
    pages = pages_of(chromium(html_copy(long)))
    begins = "印" * MARK_CHARACTERS_MAX + "…"
    assert len(pages) > 1
    for page in pages:
        assert page.count("长") == page.count("院") == NAME_CHARACTERS_MAX
        assert squeezed(ON_EACH[3]) in page
        assert begins in page
    assert "".join(pages).count("印") >= MARK_MAX + len(pages) * MARK_CHARACTERS_MAX


def _plain(text: str) -> str:
    """Without breaks, and without the ligatures that a browser's font makes."""
    return unicodedata.normalize("NFKC", squeezed(text))
