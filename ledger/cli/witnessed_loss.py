"""Whether the witnesses know of more than is given up: the end of a log cannot be made larger afterwards."""

from __future__ import annotations

import click

from ledger.backup.asking import witness_answers
from ledger.cli.giving_up import Loss, NotSucceeded
from ledger.integrator.witness_client import Ahead, Answer, Cosigned, Forked, NotCosigned
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.policy import Policy


async def refuse_below_witnesses(
    policy: Policy, files: LogFiles, signed: Checkpoint, loss: Loss, *, unwitnessed: bool
) -> bool:
    """Asks each with the newest head that is left. Whether fewer than a quorum answered, which is NotSucceeded unless
    persons end the log `unwitnessed`. Raises NotSucceeded; LogDamaged, BlobError, TileFault.

    What a witness says without proof is weighed as the log weighs it (ADR 13): it counts unless every quorum has a
    witness that has just cosigned. One that is away is named; what was published a quorum has seen, so of a quorum that
    answers one knows of it.
    """
    note = next(
        (each for each in (files.signed(), files.published()) if each and parse_checkpoint(each.text) == signed), None
    )
    answers = await witness_answers(policy, files, note) if note else {}
    vouching = [name for name, answer in answers.items() if isinstance(answer, Cosigned)]
    believed = policy.may_pass_over(vouching)
    faults: list[str] = []
    for name, answer in answers.items():
        said = _said(answer, loss)
        if said and believed and not isinstance(answer, NotCosigned):
            faults.append(f"witness {name} {said}")
        elif said:
            click.echo(f"witness {name} {said}; that is passed over")
    answered = [name for name, answer in answers.items() if not isinstance(answer, NotCosigned)]
    too_few = not policy.is_reached(answered)
    if too_few and not unwitnessed:
        faults.append(
            f"{len(answered)} of {len(policy.witnesses)} witnesses answer, which is not the quorum: nobody could say "
            "that more was published. Ask them again; with --unwitnessed two persons end it all the same, and the end "
            "says so"
        )
    if faults:
        raise NotSucceeded("; ".join(faults))
    return too_few


def _said(answer: Answer, loss: Loss) -> str:
    match answer:
        case Ahead() if answer.size >= loss.lost.stop:
            return f"{answer.what}, beyond what is given up: --checkpoint with that head, or --lost-to {answer.size}"
        case Forked():
            return answer.what
        case NotCosigned():
            return f"could not be asked ({answer.why})"
        case _:
            return ""
