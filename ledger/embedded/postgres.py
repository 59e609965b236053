"""A PostgreSQL of our own: one folder, loopback only, ends with us."""

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from ledger.embedded.account import server_account
from ledger.embedded.errors import PostgresUnavailable, ServerFailed
from ledger.embedded.leashed_process import LeashedProcess, leashed_command
from ledger.embedded.ports import LOOPBACK
from ledger.embedded.postgres_home import give, make_home, make_owned, remove_home
from ledger.embedded.postgres_programs import PostgresPrograms, find_programs
from ledger.embedded.server_folder import ServerFolder, end_remnants, make_folder, write_privately

_SUPERUSER = "postgres"
_ANSWER_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 30.0
_INITDB_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.02
_SOCKET_PATH_MAX = 90  # the kernel allows 107 bytes with the file's name
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# What was written to the log of changes is removed with its file, and does not lie on in one that is used again.
_ERASING = {"wal_recycle": "off", "min_wal_size": "32MB"}


class EmbeddedPostgres:
    """One PostgreSQL server on a folder, durable unless `settings` says otherwise; may be started again and again.

    `programs` names a folder of programs (default: LEDGER_POSTGRES_BIN, else the wheel's). The superuser's password
    is random and kept in the folder for its owner alone. Start and stop block: call them from a thread where a loop
    runs.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None, programs: str | None = None) -> None:
        self._account = server_account()
        self._folder = ServerFolder(make_folder(folder))
        self._home = make_home(self._folder.path, self._account)
        self._found: PostgresPrograms = find_programs(programs).usable_by(self._account, self._home)
        self._settings = {**_DURABLE, **(settings or {})}
        self._log = self._folder.path / "postgres.log"
        self._process: LeashedProcess | None = None
        self._interrupted = threading.Event()
        self._port = 0

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port on loopback; the same after a restart where it is still free."""
        return self._port

    @property
    def pid(self) -> int:
        """The postmaster's process id. Raises ServerFailed where it does not run."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.alive

    @property
    def folder(self) -> Path:
        """The folder given: password, log, ports, and the data where the server's account may get at them."""
        return self._folder.path

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._home / "data"

    @property
    def major(self) -> int:
        """The major version of the server."""
        return self._found.major

    @property
    def programs(self) -> Path:
        """The folder of the programs (pgbench and psql lie there too)."""
        return self._found.folder

    @property
    def superuser_url(self) -> str:
        """libpq URL of the superuser; holds the password, so it never belongs into a log."""
        return self.url(_SUPERUSER)

    def url(self, database: str) -> str:
        """libpq URL of the superuser for one database."""
        return f"postgresql://{_SUPERUSER}:{self._password()}@{LOOPBACK}:{self._port}/{database}"

    def start(self) -> None:
        """Start and wait for the answer to a SELECT. Raises FolderInUse, PostgresUnavailable, ServerFailed."""
        if self.alive:
            return
        self._folder.acquire()
        end_remnants(self.data, signal.SIGQUIT, "PostgreSQL", self._log)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        # Nobody is left who could own them; their pid may by now belong to another program, or to a corpse.
        for stale in (self.data / "postmaster.pid", *(self._home / "socket").glob(".s.PGSQL.*.lock")):
            stale.unlink(missing_ok=True)
        self._port = self._folder.ports("postgres")["postgres"]
        self._process = self._launch()
        try:
            self._wait_for_answer()
        except ServerFailed:
            self.stop()
            raise

    def stop(self) -> None:
        """End it cleanly: no new session, a checkpoint, then exit; harder where it takes too long."""
        if self._process is not None:
            self._process.stop(signal.SIGINT, signal.SIGQUIT, seconds_each=_STOP_SECONDS_MAX)
            self._process = None
        self._interrupted.clear()
        self._folder.release()

    def interrupt(self) -> None:
        """Make a `start` that another thread is in give up soon, with ServerFailed; until the next `stop`."""
        self._interrupted.set()

    def kill9(self) -> None:
        """End the postmaster with SIGKILL, as a fault would; `start` goes on with the same data."""
        self._running().kill9()

    def remove_elsewhere(self) -> None:
        """Remove the data where they lie outside the folder given (see postgres_home); only when stopped."""
        remove_home(self._home)

    def _running(self) -> LeashedProcess:
        if self._process is None:
            raise ServerFailed("PostgreSQL", "is not running", self._log)
        return self._process

    def _password(self) -> str:
        file = self._folder.path / "superuser.password"
        if not file.exists():
            write_privately(file, secrets.token_hex(24))
        return file.read_text()

    def _initialise(self) -> None:
        fresh = self._home / "data.new"
        if fresh.exists():  # an initdb that was interrupted
            shutil.rmtree(fresh)
        make_owned(fresh, self._account)
        password = self._home / "initial.password"
        write_privately(password, self._password())
        give(password, self._account)
        command = [self._found.program("initdb"), "--pgdata", str(fresh), "--username", _SUPERUSER]
        command += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--data-checksums"]
        with self._log.open("w") as log:
            done = subprocess.run(
                leashed_command(command, signal.SIGKILL, self._account),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                cwd=self._home,
                timeout=_INITDB_SECONDS_MAX,
                check=False,
            )
        password.unlink()
        if done.returncode != 0:
            raise ServerFailed("initdb", f"ended with status {done.returncode}", self._log)
        fresh.rename(self.data)

    def _check_version(self) -> None:
        held = int((self.data / "PG_VERSION").read_text())
        if held != self._found.major:
            raise PostgresUnavailable(
                f"{self.data} was written by version {held}, the programs are version {self._found.major}",
                "Set LEDGER_POSTGRES_BIN to programs of that version.",
            )

    def _launch(self) -> LeashedProcess:
        sockets = make_owned(self._home / "socket", self._account)
        placed = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": str(sockets) if len(os.fsencode(sockets)) <= _SOCKET_PATH_MAX else "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            # A refused statement or row would otherwise stand in the log, with what it says of a patient.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
        }
        options = [f"-c{name}={value}" for name, value in {**_ERASING, **placed, **self._settings}.items()]
        return LeashedProcess(
            [self._found.program("postgres"), "-D", str(self.data), *options],
            folder=self._home,
            log=self._log,
            death_signal=signal.SIGQUIT,
            account=self._account,
            environment=_environment(),
        )

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + _ANSWER_SECONDS_MAX
        while not self._answers():
            if self._interrupted.is_set():
                raise ServerFailed("PostgreSQL", "was told to stop while it started", self._log)
            if not self.alive:
                raise ServerFailed("PostgreSQL", "ended while starting", self._log)
            if time.monotonic() > deadline:
                raise ServerFailed("PostgreSQL", f"did not answer within {_ANSWER_SECONDS_MAX:.0f} s", self._log)
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.superuser_url, connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:  # not listening yet, or still recovering
            return False


def _environment() -> dict[str, str]:
    # Nothing of ours: PG* variables and the locale of the caller would change what the server does.
    return {"PATH": os.defpath, "LC_ALL": "C"}
