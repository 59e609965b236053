"""A folder for the servers of one test run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108 - the kernel's own place for files in memory
MEMORY_BYTES_MIN = 4 << 30
FOLDER = "LEDGER_TEST_FOLDER"


def chosen_folder() -> Path | None:
    """Where the servers of a run have their files: LEDGER_TEST_FOLDER, else memory where there is plenty, else /tmp.

    Thousands of databases are made and dropped in a run, and ext4 without a journal looks at every inode that was freed
    lately before it makes another: most of PostgreSQL's time. Servers write and flush as on a disk, and what a killed
    process left behind is there as on a disk; that power fails no test shows on either.
    """
    if named := os.environ.get(FOLDER):
        return Path(named)
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_BYTES_MIN:
        return None
    return MEMORY


@pytest.fixture(scope="session")
def services_folder() -> Iterator[Path]:
    """A folder of this run that server accounts may pass through (pytest's own temporary folders they may not)."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-tests-", dir=chosen_folder()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
