"""What can go wrong around keys. No error carries a key, a passphrase or a token."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


class KeyProblem(Exception):
    """Something is wrong with a key."""


class KeyFileUnusable(KeyProblem):
    """A file of secrets cannot be used."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


class GenerationNeeded(KeyProblem):
    """A generation of the key-encryption keys cannot be destroyed yet."""

    def __init__(self, generation: int, why: str) -> None:
        super().__init__(f"generation {generation}: {why}")
        self.generation = generation
        self.why = why


class KeysUnavailable(KeyProblem):
    """Keys cannot be asked for at the moment."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{KeysUnavailable.__doc__} {why}")
        self.why = why


class KeysHeldBack(KeysUnavailable):
    """Records of this ledger may have been destroyed where events are missing, so none is opened."""

    def __init__(self, hospital: str, first: int, upto: int, also: Collection[str] = ()) -> None:
        """`also`: other hospitals that were asked for and are held back too."""
        super().__init__("records are held back")
        self.args = (f"{self.__doc__} {hospital}, {first} to {upto}: `ledger repair refill`, or `ledger keys release`",)
        self.hospital = hospital
        self.hospitals = frozenset({hospital, *also})


class UnknownToken(KeyProblem):
    """The token names no consumer that may open bodies."""


class PurposeDenied(KeyProblem):
    """The consumer may not open bodies for this purpose."""


class HospitalDenied(KeyProblem):
    """The consumer may not open bodies of this hospital."""

    def __init__(self, hospital: str) -> None:
        super().__init__(HospitalDenied.__doc__)
        self.hospital = hospital
