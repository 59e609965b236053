"""Whether the witnesses know of more than is given up: the end of a log cannot be made larger afterwards."""

from __future__ import annotations

import click

from ledger.backup.asking import witness_answers
from ledger.cli.giving_up import Loss, NotSucceeded
from ledger.integrator.witness_client import Ahead, Answer, Cosigned, Forked, NotCosigned
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.policy import Policy


async def refuse_below_witnesses(policy: Policy, files: LogFiles, signed: Checkpoint, loss: Loss) -> None:
    """Asks each with the newest head that is left. Raises NotSucceeded; LogDamaged, BlobError, TileFault.

    What a witness says without proof is weighed as the log weighs it (ADR 13): it counts unless every quorum has a
    witness that has just cosigned. One that is away is named.
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
    if faults:
        raise NotSucceeded("; ".join(faults))


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
