"""A folder for the servers of one test run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def services_folder() -> Iterator[Path]:
    """A folder of this run that server accounts may pass through (pytest's own temporary folders they may not)."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
