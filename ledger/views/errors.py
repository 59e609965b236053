"""What can go wrong on the read side. Fields carry facts for the edge's error table, never a patient's data."""


class ViewError(Exception):
    """The read side could not do what was asked."""


class PositionAboveHead(ViewError):
    """The ledger has no event at the position that was asked for."""

    def __init__(self, hospital: str, position: int) -> None:
        super().__init__(f"hospital {hospital} has no position {position} yet")
        self.hospital = hospital
        self.position = position


class WaitTimedOut(ViewError):
    """The view did not reach the position in time."""

    def __init__(self, view: str, position: int, reached: int) -> None:
        super().__init__(f"view {view} has reached position {reached}, not yet {position}")
        self.view = view
        self.position = position
        self.reached = reached


class RecordStopped(ViewError):
    """The view has stopped this record at an event that it could not handle; see its dead letters."""

    def __init__(self, view: str, stream_id: str, position: int) -> None:
        super().__init__(f"view {view} has stopped record {stream_id} at position {position}")
        self.view = view
        self.stream_id = stream_id
        self.position = position


class ViewAbsent(ViewError):
    """The view has not been built for this hospital yet, or there is no such view."""

    def __init__(self, view: str, hospital: str) -> None:
        super().__init__(f"hospital {hospital} has no view {view}")
        self.view = view
        self.hospital = hospital


class ViewsUnavailable(ViewError):
    """The database of the views does not answer for the moment."""

    def __init__(self) -> None:
        super().__init__("the database of the views does not answer")


class ViewsUnreadable(ViewError):
    """The views of this hospital must not be read here: a right of ledger_views is missing."""

    def __init__(self, hospital: str) -> None:
        super().__init__(f"the views of hospital {hospital} must not be read here")
        self.hospital = hospital


class BadPageToken(ViewError):
    """The page token was not issued for this list."""

    def __init__(self) -> None:
        super().__init__("the page token was not issued for this list")


class BadPageSize(ViewError):
    """A page size is 0, which asks for the default, or more."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a page of {size} rows; 0 or more may be asked for")
        self.size = size


class UnknownPatient(ViewError):
    """The patient index does not know this patient, or not yet."""

    def __init__(self) -> None:
        super().__init__("the patient index does not know this patient")


class DeadLetterAbsent(ViewError):
    """The view has no dead letter at this position."""

    def __init__(self, view: str, position: int) -> None:
        super().__init__(f"view {view} has no dead letter at position {position}")
        self.view = view
        self.position = position


class ReasonMissing(ViewError):
    """Retrying or skipping a dead letter needs a reason."""

    def __init__(self) -> None:
        super().__init__("retrying or skipping a dead letter needs a reason")


class UnknownEventType(ViewError):
    """This release does not know the event's type or version."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"unknown event type {event_type}")
        self.event_type = event_type


class BodyDestroyed(ViewError):
    """The record was destroyed: the envelope is all that is left of the event."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"destroyed body of {event_type}")
        self.event_type = event_type


class BodyNotOpened(ViewError):
    """The event's body cannot be opened although its record was not destroyed."""

    def __init__(self, event_type: str, kind: str) -> None:
        super().__init__(f"sealed body of {event_type}: {kind}")
        self.event_type = event_type
        self.kind = kind
        """A SealFaultKind by name."""


class UnreadableBody(ViewError):
    """The event's body is not a message of its type."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"the body is not a {event_type}")
        self.event_type = event_type
