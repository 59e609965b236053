"""Becomes another program that ends when its parent ends, under another account where one is named.

Run as a file, before anything of the project can be imported:
    leash.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM ARGUMENT...      (UID -1: keep the account)
It does what `preexec_fn` would do, without running Python between fork and exec of a process that has threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _become(uid: int, gid: int) -> None:
    if uid < 0:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _die_with(parent: int, signal_number: int) -> None:
    # After the change of account, which would clear it.
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(1)  # the parent ended before the signal was set


def _main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = map(int, arguments[:4])
    _become(uid, gid)
    _die_with(parent, death_signal)
    os.umask(0o077)
    os.execv(arguments[4], arguments[4:])  # noqa: S606 - the program comes from our own code


if __name__ == "__main__":
    _main(sys.argv[1:])
