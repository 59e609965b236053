"""A server process that ends with us."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.embedded.account import Account

_LEASH = Path(__file__).with_name("leash.py")
_KILL_SECONDS_MAX = 30.0
# The kernel sends the death signal when the THREAD that started the child ends, not the process: all children are
# therefore started by one thread that lives as long as we do.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-starter")


class LeashedProcess:
    """A running server: its pid is the server's own, its output goes to the log."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        log: Path,
        death_signal: signal.Signals,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        leashed = leashed_command(command, death_signal, account)
        with log.open("ab") as output:
            self._process = _starter.submit(
                subprocess.Popen[bytes],
                leashed,
                cwd=folder,
                env=dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end the servers in our own order
            ).result()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def stop(self, *signals: signal.Signals, seconds_each: float) -> None:
        """Send one signal after the other until the process has ended, and kill it where none was enough."""
        for number in (*signals, signal.SIGKILL):
            if not self.alive:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(seconds_each if number != signal.SIGKILL else _KILL_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                if number == signal.SIGKILL:
                    raise

    def kill9(self) -> None:
        """End it as a power cut would: no warning, no clean-up."""
        self.stop(seconds_each=_KILL_SECONDS_MAX)


def leashed_command(command: Sequence[str], death_signal: signal.Signals, account: Account | None) -> list[str]:
    """The command, wrapped so that it runs under the account and ends with us."""
    program = shutil.which(command[0]) or command[0]
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return [*leash, program, *command[1:]]
