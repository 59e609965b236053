"""Collects cosignatures of a checkpoint from every witness of the policy at once; some may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import httpx

from ledger.integrator.witness_client import Ahead, Cosigned, Forked, NotCosigned, Prove, WitnessClient
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import QuorumMissing
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Peer, Policy


@dataclass(frozen=True, slots=True)
class Collected:
    """What the witnesses answered."""

    note: Note
    """With every cosignature that came."""
    enough: bool
    """Whether the policy accepts it."""
    ahead: Mapping[str, int]
    """Size of each witness that has cosigned a larger tree under this origin."""
    forked: Sequence[str]
    """Witnesses that have cosigned a tree under this origin which ours does not continue."""
    missing: Mapping[str, str]
    """Why the others have not cosigned, by the name of their keys."""


class Cosigning:
    """The witnesses of one log."""

    def __init__(self, policy: Policy, log: VerifierKey, http: httpx.AsyncClient) -> None:
        """`log` counts as a log of the policy whether the file names it or not: it is our own."""
        self._policy = replace(policy, logs=(*policy.logs, Peer(log)))
        self._witnesses = [WitnessClient(peer, http) for peer in policy.witnesses.values() if peer.url]

    async def collect(self, note: Note, checkpoint: Checkpoint, prove: Prove) -> Collected:
        """Asks all of them at once; takes no longer than the slowest answer may. Raises what `prove` raises."""
        answers = await asyncio.gather(*(each.ask(note, checkpoint, prove) for each in self._witnesses))
        named = list(zip((each.name for each in self._witnesses), answers, strict=True))
        signed = note.signed_also(*(answer.signature for _, answer in named if isinstance(answer, Cosigned)))
        return Collected(
            note=signed,
            enough=self._is_enough(signed),
            ahead={name: answer.size for name, answer in named if isinstance(answer, Ahead)},
            forked=[name for name, answer in named if isinstance(answer, Forked)],
            missing={name: answer.why for name, answer in named if isinstance(answer, NotCosigned)},
        )

    def _is_enough(self, note: Note) -> bool:
        try:
            self._policy.accept(note)
        except QuorumMissing:
            return False
        return True
