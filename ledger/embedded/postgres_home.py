"""Where a PostgreSQL of ours keeps its data: in the folder given, or where its account can get at it."""

import os
import secrets
import shutil
import stat
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.errors import UnsafeFolder
from ledger.embedded.server_folder import write_privately

# Not a temporary folder: systems clean those by age, file by file, also under a running database.
_ELSEWHERE = Path("/var/lib/medical-record-ledger")


def make_home(folder: Path, account: Account | None) -> Path:
    """A folder that the account may enter: the one given or, where that cannot be, one elsewhere that it names.

    The folder given keeps a file `elsewhere` with the path: without that file data of an older folder of the same name
    are not taken up. Raises UnsafeFolder.
    """
    record = folder / "elsewhere"
    if record.exists():
        return _checked(Path(record.read_text()))
    if account is None or account.may_enter(folder):
        return folder
    elsewhere = _ELSEWHERE / secrets.token_hex(8)
    for level in (_ELSEWHERE, elsewhere):
        level.mkdir(exist_ok=level == _ELSEWHERE)
        _checked(level).chmod(0o711)
    write_privately(record, str(elsewhere))
    return elsewhere


def make_owned(folder: Path, account: Account | None) -> Path:
    """A folder of mode 0700 that belongs to the account."""
    folder.mkdir(mode=0o700, exist_ok=True)
    give(folder, account)
    return folder


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner; nothing where servers run as ourselves."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def remove_home(home: Path) -> None:
    """Remove a folder made elsewhere, with everything in it; one that was given stays."""
    if home.parent == _ELSEWHERE:
        shutil.rmtree(home)


def _checked(folder: Path) -> Path:
    found = folder.lstat()
    ours = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022
    if not ours or not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolder(folder)
    return folder
