"""The limits and the errors that clients read about are those that the code has."""

import re
from pathlib import Path

import pytest
from google.rpc import code_pb2

from ledger.application import hospital_ledger
from ledger.domain import decide_rulebook, pack_reading
from ledger.server.error_table import INTERNAL, REFUSALS, TABLE
from ledger.server.limits import BATCH_EVENTS_MAX, Limits
from ledger.store import append
from ledger.stream.message import MESSAGE_BYTES_MAX
from ledger.trust.envelope import ENVELOPE_BYTES_MAX
from ledger.views.page_size import PAGE_ROWS_MAX

_PROJECT = Path(__file__).parents[3]
_KIB = 1024
_MIB = 1024 * 1024
_API = (_PROJECT / "docs/api.md").read_text(encoding="utf-8")
_PLACES = [
    # file, what the comment belongs to, what it says, what the code has
    ("events", "message Envelope", "at most 4 KiB", ENVELOPE_BYTES_MAX == 4 * _KIB),
    ("events", "bytes envelope = 1", "at most 4 KiB", ENVELOPE_BYTES_MAX == 4 * _KIB),
    ("events", "bytes body = 2", "at most 512 KiB", append.BODY_BYTES_MAX == 512 * _KIB + 33),
    ("events", "message PublishedEvent", "at most 1 MiB", _MIB - 4 * _KIB == MESSAGE_BYTES_MAX),
    ("common", "message EntryContent", "at most 512 KiB", hospital_ledger.BODY_BYTES_MAX == 512 * _KIB),
    ("common", "message CommandContext", "at most 1 MiB", Limits().request_bytes_max == _MIB),
    ("common", "message CommandContext", "at most 100 events", append.EVENTS_MAX == 100),
    ("records", "service RecordService", "at most 100 events", append.EVENTS_MAX == 100),
    ("rulebook", "service RulebookService", "at most 96 KiB", pack_reading.PACK_BYTES_MAX == 96 * _KIB),
    ("rulebook", "service RulebookService", "at most 200 packs", decide_rulebook.PACKS_MAX == 200),
    ("rulebook", "service RulebookService", "200 texts of templates", decide_rulebook.TEMPLATE_TEXTS_MAX == 200),
    ("stream", "service StreamService", "at most 1,000", BATCH_EVENTS_MAX == 1000),
]
_WITHOUT_PAGES = {
    f"service {name}"
    for name in (
        "CourseService",
        "DisposalService",
        "IdentityService",
        "KeepingService",
        "PatientService",
        "ProofService",
        "RulebookService",
        "StreamService",
        "KeyService",
    )
}
_SERVICES = [
    (path.stem, f"service {name}")
    for path in sorted((_PROJECT / "protos/ledger/api/v1").glob("*.proto"))
    for name in re.findall(r"^service (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
]


def _comment(file: str, of: str) -> str:
    """The comment before a declaration, as one line."""
    text = (_PROJECT / f"protos/ledger/api/v1/{file}.proto").read_text(encoding="utf-8")
    lines = text[: text.index(of)].rstrip(" ").splitlines()
    found: list[str] = []
    while lines and lines[-1].strip().startswith("//"):
        found.insert(0, lines.pop().strip().removeprefix("//").strip())
    return " ".join(found)


@pytest.mark.parametrize(("file", "of", "said", "held"), _PLACES, ids=lambda each: str(each))
def test_a_limit_stands_in_the_contract(file: str, of: str, said: str, held: bool) -> None:
    """Who reads the proto alone knows how large a thing may be; the number is the code's own."""
    assert said in _comment(file, of) if of != "bytes body = 2" else said in _published("body")
    assert held


def _published(field: str) -> str:
    text = (_PROJECT / "protos/ledger/api/v1/events.proto").read_text(encoding="utf-8")
    message = text.partition("message PublishedEvent {")[2].partition("}")[0]
    return message.partition(f"bytes {field}")[0]


@pytest.mark.parametrize(("file", "service"), _SERVICES)
def test_every_service_says_what_a_request_and_a_page_may_have(file: str, service: str) -> None:
    """1 MiB; and 1,000 rows where it has pages."""
    said = _comment(file, service)
    assert "at most 1 MiB" in said
    if service not in _WITHOUT_PAGES:
        assert "at most 1,000 rows" in said
    assert (Limits().request_bytes_max, PAGE_ROWS_MAX) == (_MIB, 1000)


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ("request, and one message of a client stream", f"{Limits().request_bytes_max // _MIB} MiB"),
        ("request, and one message of a client stream", f"above {Limits().transport_bytes_max // _MIB} MiB"),
        ("envelope of an event", f"{ENVELOPE_BYTES_MAX // _KIB} KiB"),
        ("body of an event", f"{hospital_ledger.BODY_BYTES_MAX // _KIB} KiB"),
        ("events of a command", f"{append.EVENTS_MAX:,}"),
        ("rows of a page, events of a batch", f"{PAGE_ROWS_MAX:,}"),
        ("message on the published stream", f"{(MESSAGE_BYTES_MAX + 4 * _KIB) // _MIB} MiB"),
        ("response", f"{Limits().response_bytes_max // _MIB} MiB"),
        ("unary calls in flight", f"{Limits().calls_in_flight_max:,}"),
        ("streams in flight", f"{Limits().streams_in_flight_max:,}"),
    ],
)
def test_the_table_of_limits_is_the_code_s(row: str, limit: str) -> None:
    """docs/api.md has a row with the number."""
    (found,) = [line for line in _API.partition("\n## Limits\n")[2].splitlines() if line.startswith(f"| {row}")]
    assert limit in found


def test_every_reason_stands_in_its_row_of_the_table() -> None:
    """A client that looks a reason up finds the code that comes with it."""
    rows = [*TABLE.values(), *REFUSALS.values(), INTERNAL]
    missing = [each.reason for each in rows if f"`{each.reason}`" not in _row_of_code(code_pb2.Code.Name(each.code))]
    assert missing == []


def _row_of_code(code: str) -> str:
    table = _API.partition("\n## Failures\n")[2].partition("\n## ")[0]
    return next(line for line in table.splitlines() if line.startswith("| ") and code in line.split("|")[1])
