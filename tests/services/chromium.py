"""Prints HTML with a real browser. Where the machine has none, tests that need it are LEFT OUT, by name."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.browser import missing, program

_SECONDS_MAX = 60
_QUIET = ("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer")
_AS_ROOT = "--no-sandbox"
"""Its sandbox does not start as root; what is shown here was made here."""

Print = Callable[[bytes], bytes]
"""From an HTML file to the PDF that the browser prints."""


@pytest.fixture
def chromium(tmp_path: Path) -> Print:
    """Prints as a person does who opens the file and asks for its pages."""
    browser = program()
    assert browser is not None, missing()

    def printed(page: bytes) -> bytes:
        file, made = tmp_path / "page.html", tmp_path / "page.pdf"
        file.write_bytes(page)
        options = (*_QUIET, _AS_ROOT, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={made}")
        run = subprocess.run(
            [browser, *options, file.as_uri()], capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
        )
        assert made.exists(), run.stderr[-2000:]
        return made.read_bytes()

    return printed
