"""What can be wrong around a backup. Names of files, hospitals and positions alone, never content."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override


class _Faults(Exception):
    """Every fault at once."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n  ".join([str(self.__doc__), *self.faults]))

    @override
    def __reduce__(self) -> tuple[type[_Faults], tuple[tuple[str, ...]]]:
        """From the process that found them to the one that was asked."""
        return type(self), (self.faults,)


class BackupRefused(_Faults):
    """No backup is taken:"""


class BadBackup(_Faults):
    """This is no whole backup:"""


class RestoreRefused(_Faults):
    """This is not to be restored:"""


class Behind(_Faults):
    """More was published than this backup holds, so it is not to be restored:"""
