"""What a consumer needs of a transfer topic; the composition root hands in the adapter."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumers.transfer_message import TransferMessage


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on in one partition."""

    topic_id: str
    """Changes when the topic was made anew: then reading begins at its start."""
    next_offset: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message with the place behind it."""

    partition: int
    place: Place
    message: TransferMessage


class TransferTopic(Protocol):
    """One hospital's transfer topic, in order within each partition. Many senders write to it; repeats may come."""

    async def poll(self, timeout_seconds: float, messages_max: int) -> Sequence[Delivered]:
        """The next messages; empty when nothing came in time."""
        ...

    async def close(self) -> None:
        """Gives up what the reader holds."""
        ...


OpenTopic = Callable[[str, Mapping[int, Place]], Awaitable[TransferTopic]]
"""Opens a hospital's topic: (hospital, where to read on by partition; a partition that is not named begins at 0)."""
