"""A trust policy (tlog-policy): which logs, which witnesses, and which of these together are enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import QuorumMissing, SignatureFault
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.signed_note import signers

NO_QUORUM = "none"


@dataclass(frozen=True, slots=True)
class Peer:
    """A log or a witness."""

    key: VerifierKey
    url: str = ""
    """Where it answers, as the policy has it; empty where the policy has none."""


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and groups of which `threshold` must have witnessed."""

    threshold: int
    """1 to the number of members."""
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that satisfies the policy."""

    checkpoint: Checkpoint
    log: VerifierKey
    """The key of the policy that signed it."""
    times: Mapping[str, int]
    """Unix second of each witness's cosignature, by the witness's name; also of those beyond the quorum."""
    proven_time: int | None
    """The Unix second at which the checkpoint existed at the latest: when the witness that made up the quorum signed.

    For a group of witnesses with threshold k the k-th smallest time. None under `quorum none`, which proves no time.
    """


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy: see `ledger.trust.policy_file`. Names mean something inside the policy only."""

    logs: tuple[Peer, ...]
    witnesses: Mapping[str, Peer]
    groups: Mapping[str, Group]
    quorum: str
    """Name of a witness or group, or `none`."""

    def accept(self, note: Note) -> Witnessed:
        """What a checkpoint proves under this policy.

        SignatureFault: no log of the policy signed it, its origin is not that log's name, or a signature of a known
        key is broken. CheckpointFault: the text is no checkpoint. QuorumMissing: too few cosignatures.
        """
        known = {log.key for log in self.logs} | {witness.key for witness in self.witnesses.values()}
        signed = signers(note, known)
        checkpoint = parse_checkpoint(note.text)
        log = next((log.key for log in self.logs if log.key in signed and log.key.name == checkpoint.origin), None)
        if log is None:
            raise SignatureFault("no log of the policy has signed under this origin")
        times = {name: signed[witness.key] for name, witness in self.witnesses.items() if witness.key in signed}
        proven_time = self.quorum_time(times)
        if proven_time is None and self.quorum != NO_QUORUM:
            raise QuorumMissing(f"{len(times)} of {len(self.witnesses)} witnesses, which is not the quorum")
        return Witnessed(checkpoint, log, times, proven_time)

    def quorum_time(self, times: Mapping[str, int]) -> int | None:
        """When the quorum was reached, given each witness's time; None where it was not, or the quorum is `none`."""
        return self._time_of(self.quorum, times)

    def is_reached(self, witnesses: Collection[str]) -> bool:
        """Whether these witnesses, given by their names in the policy, are a quorum."""
        return self.quorum == NO_QUORUM or self.quorum_time(dict.fromkeys(witnesses, 0)) is not None

    def may_pass_over(self, witnesses: Collection[str]) -> bool:
        """Whether a quorum can be reached without any of these witnesses, given by their names in the policy."""
        return self.is_reached([name for name in self.witnesses if name not in witnesses])

    def _time_of(self, name: str, times: Mapping[str, int]) -> int | None:
        group = self.groups.get(name)
        if group is None:
            return times.get(name)
        reached = sorted(time for time in (self._time_of(each, times) for each in group.members) if time is not None)
        return reached[group.threshold - 1] if len(reached) >= group.threshold else None
