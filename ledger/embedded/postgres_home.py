"""Where a PostgreSQL of ours keeps its data: in the folder given, or where its account can get at it."""

import hashlib
import os
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

    The folder given keeps a file `elsewhere` with the path. Raises UnsafeFolder.
    """
    if account is None or account.may_enter(folder):
        return folder
    elsewhere = _ELSEWHERE / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    for level in (_ELSEWHERE, elsewhere):
        _make_ours(level)
    write_privately(folder / "elsewhere", str(elsewhere))
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


def make_folder(folder: Path) -> Path:
    """The folder, made where it is missing so that others may pass through it but not look; modes of others stay."""
    missing = [level for level in (folder, *folder.parents) if not level.exists()]
    for level in reversed(missing):
        level.mkdir()
        level.chmod(0o711)
    return folder


def remove_home(home: Path) -> None:
    """Remove a folder made elsewhere, with everything in it."""
    if home.parent == _ELSEWHERE:
        shutil.rmtree(home)


def _make_ours(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        found = folder.lstat()
        foreign = found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022
        if foreign or not stat.S_ISDIR(found.st_mode):
            raise UnsafeFolder(folder) from None
    else:
        folder.chmod(0o711)
