"""The logs that a witness follows: a file of verifier keys, one a line."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.trust.format_fault import FormatFault, KeyFault
from ledger.trust.note_key import KeyKind, VerifierKey, parse_verifier_key

LOGS_BYTES_MAX = 1024 * 1024
_WORDS_MAX = 2


class FollowedLogsFault(FormatFault):
    """Not a list of logs:"""


def parse_followed_logs(data: bytes) -> Mapping[str, tuple[VerifierKey, ...]]:
    """By origin the keys that are trusted for it. FollowedLogsFault names every faulty line.

    A line is a verifier key and, where the origin is not the key's name, the origin; `#` begins a comment. Several
    lines of one origin: any of the keys may sign, as while a log changes its key.
    """
    if len(data) > LOGS_BYTES_MAX:
        raise FollowedLogsFault("more than 1 MiB")
    found: dict[str, list[VerifierKey]] = {}
    faults: list[str] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            key = _key_of(words)
        except KeyFault as fault:
            faults.append(f"line {number}: {', '.join(fault.faults)}")
        else:
            found.setdefault(words[-1] if len(words) == _WORDS_MAX else key.name, []).append(key)
    if faults:
        raise FollowedLogsFault(*faults)
    return {origin: tuple(keys) for origin, keys in found.items()}


def _key_of(words: list[str]) -> VerifierKey:
    if len(words) > _WORDS_MAX:
        raise KeyFault("not a verifier key and an origin")
    key = parse_verifier_key(words[0])
    if key.kind is not KeyKind.ED25519:
        raise KeyFault("not the key of a log")
    return key
