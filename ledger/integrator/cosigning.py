"""Collects cosignatures of a checkpoint from every witness of the policy at once; some may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
    contradicting: Mapping[str, str]
    """What witnesses say against this head, by the name of their keys: a larger size, or a tree that ours does not go
    on from. Nobody can prove it: the protocol carries a number and no note."""
    outvoted: bool
    """Whether every quorum that ever published has a witness that cosigned this head now, and so knows nothing else."""
    missing: Mapping[str, str]
    """Why the others have not cosigned, by the name of their keys."""


class Cosigning:
    """The witnesses of one log."""

    def __init__(self, policy: Policy, log: VerifierKey, http: httpx.AsyncClient) -> None:
        """`log` counts as a log of the policy whether the file names it or not: it is our own."""
        self._policy = replace(policy, logs=(*policy.logs, Peer(log)))
        self._witnesses = {name: WitnessClient(peer, http) for name, peer in policy.witnesses.items() if peer.url}
        """By their names in the policy."""

    async def collect(self, note: Note, checkpoint: Checkpoint, prove: Prove) -> Collected:
        """Asks all of them at once; takes no longer than the slowest answer may. Raises what `prove` raises."""
        asked = self._witnesses
        answers = await asyncio.gather(*(each.ask(note, checkpoint, prove) for each in asked.values()))
        named = dict(zip(asked, answers, strict=True))
        vouching = {name: answer.signature for name, answer in named.items() if isinstance(answer, Cosigned)}
        signed = note.signed_also(*vouching.values())
        return Collected(
            note=signed,
            enough=self._is_enough(signed),
            contradicting={
                asked[name].name: answer.what for name, answer in named.items() if isinstance(answer, Ahead | Forked)
            },
            outvoted=not self._policy.may_pass_over(vouching),
            missing={asked[name].name: answer.why for name, answer in named.items() if isinstance(answer, NotCosigned)},
        )

    def _is_enough(self, note: Note) -> bool:
        try:
            self._policy.accept(note)
        except QuorumMissing:
            return False
        return True
