"""What the edge itself refuses, before or beside the ledger."""

from __future__ import annotations

from uuid import UUID


class EdgeError(Exception):
    """The edge could not serve the call."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class RequestTooLarge(EdgeError):
    """The request is larger than the contract allows; nothing was written."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__()
        self.size = size
        self.limit = limit


class ResponseTooLarge(EdgeError):
    """The answer is too large for one message; read it in parts by StreamService.ReadRecord or GetEntry."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__()
        self.size = size
        self.limit = limit


class MalformedRequest(EdgeError):
    """The request is not a message of this method; nothing was written."""


class TooManyCalls(EdgeError):
    """This server has as many calls in flight as it takes; nothing was written."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class ForeignPageToken(EdgeError):
    """The page token was not made by this method for this filter."""


class VersionOutOfRange(EdgeError):
    """The record does not have so many versions."""

    def __init__(self, asked: int, version: int) -> None:
        super().__init__()
        self.asked = asked
        self.version = version


class NotInLogYet(EdgeError):
    """The log's published checkpoint does not reach so far yet; ask again later."""

    def __init__(self, asked: int, size: int) -> None:
        super().__init__()
        self.asked = asked
        self.size = size


class MapNotThere(EdgeError):
    """No published record map under the published checkpoint knows this record yet; ask again after the next one."""


class NoSuchMap(EdgeError):
    """No record map can be had that the event at this position published: name a later one, or none for the newest."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


class PackTooLarge(EdgeError):
    """The record's proof pack is too large for one answer; `ledger export proof` puts the bodies in by itself."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__()
        self.size = size
        self.limit = limit


class ViewNotServedHere(EdgeError):
    """This server does not serve the view that answers this method."""

    def __init__(self, rpc: str) -> None:
        super().__init__()
        self.rpc = rpc


class UnknownHolder(EdgeError):
    """The purge register names no such holder of this record."""

    def __init__(self, record_id: UUID) -> None:
        super().__init__()
        self.record_id = record_id


class ServerStopping(EdgeError):
    """The server is going down; go on at another one, or at this one once it is back."""


class ForeignHost(EdgeError):
    """Until callers are authenticated, this listener answers only calls that name this machine in their Host header."""


class NotLoopback(EdgeError):
    """Until callers are authenticated, a listener takes a loopback address only."""

    def __init__(self, setting: str, value: str) -> None:
        super().__init__()
        self.setting = setting
        self.value = value


class NoSuchLogFile(EdgeError):
    """The log has no such file, or its published checkpoint does not cover it yet."""


class ReaderUnknown(EdgeError):
    """Entries and bodies of a log need the bearer token of a reader."""


class ReaderNotAllowed(EdgeError):
    """This reader may not read the log of this hospital."""

    def __init__(self, hospital: str) -> None:
        super().__init__()
        self.hospital = hospital


class LogUnavailable(EdgeError):
    """The files of the log cannot be read at the moment."""


class LedgerHalted(EdgeError):
    """The ledger of this hospital is not the one whose log was signed; it takes nothing until a person decides."""

    def __init__(self, hospital: str) -> None:
        super().__init__()
        self.hospital = hospital
