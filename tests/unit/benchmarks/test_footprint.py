"""What processes take."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.idle.footprint import open_files, resident_mib, tree_pids
from benchmarks.soak.sampling import RoleRestarted, sampled


def test_a_tree_is_a_process_and_what_it_started() -> None:
    """A service is its roles and their servers, not the one program that was called."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        found = tree_pids(os.getpid())
        child.communicate()
    assert found[0] == os.getpid()
    assert child.pid in found


def test_an_open_file_is_counted(tmp_path: Path) -> None:
    """One more descriptor is one more."""
    before = open_files([os.getpid()])
    with (tmp_path / "one").open("w"):
        assert open_files([os.getpid()]) == before + 1


def test_memory_that_is_used_is_seen() -> None:
    """64 MiB that are written to are at least 48 more, whatever the allocator gave back meanwhile."""
    before = resident_mib([os.getpid()])
    held = bytearray(os.urandom(1) * 2**26)
    assert resident_mib([os.getpid()]) > before + 48
    assert len(held) == 2**26


async def test_a_role_that_was_started_again_is_no_flat_one() -> None:
    """Its memory begins anew: a leak that ends in a death must not look like none."""
    pids = iter([{"serve": os.getpid()}, {"serve": os.getpid()}, {"serve": os.getppid()}])
    with pytest.raises(RoleRestarted):
        await sampled(lambda: next(pids), 0.001, asyncio.Event())
