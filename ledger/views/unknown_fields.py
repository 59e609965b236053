"""Fields of a message that this release does not know.

Protobuf keeps them aside without a word. In an event's body they are content that somebody signed and that this release
would leave out of everything it shows: so they count as another version of the event, which stops the record.
"""

from google.protobuf.message import Message


def has_unknown_fields(message: Message) -> bool:
    """Whether the message, or any message inside it, holds such fields. They are dropped from it."""
    size = message.ByteSize()
    message.DiscardUnknownFields()  # pyright: ignore[reportUnknownMemberType]  # the stubs lack its type
    return message.ByteSize() != size
