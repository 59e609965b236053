"""The head that a log shows now, as a receiver takes it: the policy's quorum, and grown from what was seen before."""

from __future__ import annotations

from functools import partial

from consumers.checkpoints import LogHasEnded, SeenCheckpoints, SucceedingLog
from consumers.log_over_http import LogOverHttp
from ledger.log.log_proofs import consistency_proof
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import SignatureFault
from ledger.trust.lineage import number_of
from ledger.trust.log_ended import parse_log_ended
from ledger.trust.note import Note


def accepted_head(log: LogOverHttp, seen: SeenCheckpoints) -> Checkpoint:
    """The head that the log shows now; remembered when it returns.

    Raises LogUnreachable, what `SeenCheckpoints.accept` raises, and LogHasEnded where another log goes on there.
    """
    note, before = log.checkpoint(), log.succeeded()
    prove = partial(consistency_proof, log)
    shown = SucceedingLog(before, note, prove, partial(_prove_ended, log, before)) if before else None
    if shown is not None:
        seen.read_end(shown)
    try:
        return seen.accept(note, prove)
    except SignatureFault:
        # The log that the policy knows may have ended, and another be served in its place.
        if shown is not None:
            raise LogHasEnded(seen.end(shown)) from None
        raise


def _prove_ended(log: LogOverHttp, ended: Note, old: int, size: int) -> tuple[bytes, ...]:
    """A proof of the log that ended, whose tiles lie beside those of the one that goes on."""
    number = number_of(parse_log_ended(ended.text).last.origin)
    with log.of_number(number) as last:
        return consistency_proof(last, old, size)
