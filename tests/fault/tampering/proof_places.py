"""Where a fault in a proof file or a pack is, in the words of the product's reports: by the line that was changed.

Lines are called by word and number, `event#3`, as file_media.py cuts them.
"""

from __future__ import annotations

from collections.abc import Sequence

_CUT = "no lines of ASCII before an empty line"
_CUT_PROOF = "an empty line before the checkpoint"
"""Of a file that ends inside its lines."""
_PROOFS = {"head": "HEAD_INCLUSION", "later": "LATER_INCLUSION", "place": "MAP_INCLUSION", "bucket": "BUCKET"}
"""Which proof the hashes after a line of this word belong to."""
_IN_PROOF: dict[str, tuple[str, ...]] = {
    "index": ("the index line", _CUT_PROOF),
    "text": ("signature line 1 does not hold", "Not a signed note: "),
    "log signature": ("signature line 1", "no log of the policy has signed", "Not a signed note: "),
    "cosignature": ("Too few witnesses", "Not a signed note: "),
    "hash": ("the root is another", "a hash too few", _CUT_PROOF),
}
_IN_PACK: dict[str, tuple[str, ...]] = {
    "record": ("RECORD at version 1:",),
    "map": ("MAP_EVENT:", "MAP_INCLUSION: ", "STALE_MAP: ", "ENVELOPE: ", "ORIGIN: "),
    "opened": ("MAP_EVENT:",),
    "bucket": ("BUCKET: ", "a line `bucket` is missing"),  # its hashes are taken for those before it
    "audit": ("AUDIT: ", "a note: "),
    "text": ("CHECKPOINT: ", "a note: "),
    "log signature": ("signature line 1", "no log of the policy has signed", "a note: "),
    "cosignature": ("QUORUM: ", "a note: "),
}
_OF_THE_NOTE = {"text", "log signature", "cosignature"}


def places_in_proof(name: str) -> Sequence[str]:
    """Of a proof file."""
    word, _, number = name.partition("#")
    numbered = {"hash": f"hash {int(number) + 1}", "cosignature": f"signature line {int(number) + 2}"}
    found = _IN_PROOF.get(word, ("does not begin with c2sp.org/tlog-proof@v1",))
    return (*found, numbered[word]) if word in numbered else found


def places_in_pack(name: str, names: Sequence[str]) -> Sequence[str]:
    """Of a pack whose lines are these, in order."""
    word, _, number = name.partition("#")
    at = int(number)
    numbered = {
        "event": (f"at version {at + 1}:", f"at version {at + 2}:"),  # one that is missing is missed by the next
        "body": (f"BODY at version {at + 1}:",),
        "cosignature": (f"signature line {at + 2}",),
    }
    found = (*_IN_PACK.get(word, ()), *numbered.get(word, ()), *_proof_of(name, names))
    return found if word in _OF_THE_NOTE else (*found, f"line {names.index(name) + 1}: ", _CUT)


def _proof_of(name: str, names: Sequence[str]) -> Sequence[str]:
    """Which proof a line is part of; where its first line is gone, the one before takes its hashes."""
    word = name.partition("#")[0]
    if word != "hash" and word not in _PROOFS:
        return ()
    words = [each.partition("#")[0] for each in names[: names.index(name) + 1]]
    proofs = [_PROOFS[each] for each in words if each in _PROOFS]
    return proofs[-1:] if word == "hash" else proofs[-2:]
