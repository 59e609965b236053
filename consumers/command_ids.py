"""Command ids that a program can make again after a crash: the same step of the same transfer has the same id."""

from uuid import UUID, uuid5

_STEPS = UUID("6f7d2f0a-3f5e-5c0b-9a55-5f1f0d2c7f3e")


def step_command_id(hospital: str, transfer_id: UUID, step: str) -> str:
    """The command id of one step of a transfer at one hospital, UUID text."""
    return str(uuid5(_STEPS, f"{hospital}/{transfer_id}/{step}"))
