"""The library's recorder over our tables: the same append as the group committer's, called without a loop.

It is there for tools that know `eventsourcing`; the ledger itself appends through the group committer. It takes no
table lock and sends no NOTIFY inside the transaction, and never repeats an insert whose outcome is unknown.
"""

import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast
from uuid import UUID, uuid4

from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresRecorder
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from ledger.store.append import Append, Appended, MalformedAppend, NewEvent, check_append
from ledger.store.parameters import parameters_of_group
from ledger.store.statements import schema_of, statements
from ledger.store.stored_state import join_state, split_state
from ledger.store.verdicts import verdicts_of_group
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash

_RPC = "eventsourcing"
_ALL = 1 << 62
_BINARY = 1
_UNIQUE_VIOLATION = b"23505"


def ledger_datastore(append_url: str, hospital: str) -> PostgresDatastore:
    """The library's datastore for one hospital's schema; it connects when it is first used."""
    parts = conninfo_to_dict(append_url)
    return PostgresDatastore(
        dbname=str(parts.get("dbname", "")),
        host=str(parts.get("host", "")),
        port=str(parts.get("port", "5432")),
        user=str(parts.get("user", "")),
        password=str(parts.get("password", "")),
        schema=schema_of(hospital),
        max_overflow=7,
    )


class LedgerRecorder(PostgresApplicationRecorder):
    """Stored events of one hospital. Topic = stored event name, state = envelope and body, id = position."""

    def __init__(self, datastore: PostgresDatastore, hospital: str) -> None:
        """Connects nothing. The base's constructor would make tables of its own, so only the root's runs."""
        PostgresRecorder.__init__(self, datastore)
        self._sql = statements("recorder", hospital)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Appends all or nothing; their positions. IntegrityError where a version is taken.

        ProgrammingError for what no store may take.
        """
        if not stored_events:
            return []
        append = _append_of(stored_events)
        _check(append)
        parameters = parameters_of_group([append], with_events=True)
        with self.datastore.get_connection() as connection:
            verdict = verdicts_of_group([append], self._call(connection.pgconn, parameters))[0][0]
        if not isinstance(verdict, Appended):
            raise IntegrityError(type(verdict).__name__)
        return list(range(verdict.first_position, verdict.last_position + 1))

    def _call(self, pgconn: pq.abc.PGconn, parameters: Sequence[bytes | None]) -> pq.abc.PGresult:
        formats = [_BINARY] * len(parameters)
        result = pgconn.exec_params(self._sql["append_group"], parameters, None, formats, _BINARY)
        if result.error_field(pq.DiagnosticField.SQLSTATE) == _UNIQUE_VIOLATION:
            raise IntegrityError("one version twice")
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise OperationalError(f"append failed: {result.error_field(pq.DiagnosticField.SQLSTATE)!r}")
        return result

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream in order of version."""
        values = {"stream": originator_id, "gt": gt, "lte": lte, "limit": limit or _ALL}
        return [_stored(row) for row in self._rows("events_descending" if desc else "events", values)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The events from a position on, in order of position."""
        first = (start or 0) + (0 if inclusive_of_start else 1)
        values = {"start": first, "stop": stop, "topics": list(topics) or None, "limit": limit}
        return [
            Notification(**vars(_stored(row)), id=row["position"])  # pyright: ignore[reportCallIssue]  # the library's dataclasses inherit
            for row in self._rows("notifications", values)
        ]

    def max_notification_id(self) -> int | None:
        """The highest position; None for an empty ledger."""
        return self._rows("head", {})[0]["position"] or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[Any]:  # noqa: ARG002  # the library names them
        """Not kept: NOTIFY inside the append would serialise commits. Read the published stream instead."""
        raise NotSupportedError(LedgerRecorder.subscribe.__doc__)

    def _rows(self, name: str, values: dict[str, Any]) -> list[DictRow]:
        with self.datastore.get_connection() as connection:
            return connection.execute(self._sql[name], values).fetchall()


def _append_of(stored_events: Sequence[StoredEvent]) -> Append:
    events = tuple(_new_event(each) for each in stored_events)
    content = sha256(b"".join(each.state for each in stored_events)).digest()
    return Append(uuid4(), content, _RPC, events[0].stream_id, events, result_version=events[-1].version)


def _check(append: Append) -> None:
    """What the group committer checks. States without any envelope are not the ledger's: the library's own tests."""
    if not any(event.envelope for event in append.events):
        return
    try:
        check_append(append)
    except MalformedAppend as error:
        raise ProgrammingError(str(error)) from error


def _new_event(stored: StoredEvent) -> NewEvent:
    envelope, body = split_state(stored.state)
    return NewEvent(
        stream_id=cast("UUID", stored.originator_id),
        kind=kind_of(stored.topic),
        version=stored.originator_version,
        type=stored.topic,
        recorded_at=decode(envelope).recorded_at if envelope else time.time_ns() // 1000,
        envelope=envelope,
        body=body,
        leaf_hash=leaf_hash(envelope),
    )


def kind_of(topic: str) -> str:
    """The kind of the stream that an event of this type begins."""
    name = topic.rpartition(".")[2]
    return next((kind for kind in ("patient", "package", "disposal") if name.lower().startswith(kind)), "record")


def _stored(row: DictRow) -> StoredEvent:
    state = join_state(bytes(row["envelope"]), bytes(row["body"]))
    return StoredEvent(row["stream_id"], row["version"], row["type"], state)


__all__ = ["LedgerRecorder", "kind_of", "ledger_datastore"]
