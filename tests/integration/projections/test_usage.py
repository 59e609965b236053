"""Usage through the runner, on a real PostgreSQL."""

from uuid import UUID

from google.protobuf.message import Message

from projections.usage.view import Usage
from projections.usage_queries import UsageQueries
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

DAY_S = 86_400


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def by(command: int, body: Message) -> Message:
    body.meta.command_id = str(UUID(int=command))  # type: ignore[attr-defined] # pyright: ignore
    return body


async def test_commands_events_and_bytes_by_day(ground: Ground) -> None:
    """A command counts once, whether it made several events or wrote into two streams; days come in order, in pages."""
    record, one, two = h.EventStream(), h.EventStream(), h.EventStream()
    events = [
        record.seal(by(1, h.registered())),
        record.seal(by(2, h.care_started())),
        record.seal(by(2, h.submitted()), same_command=True),
    ]
    events += [one.seal(by(3, h.patient_registered("C1"))), two.seal(by(4, h.patient_registered("C2")))]
    events += [one.seal(by(5, life.linked(two.stream_id))), two.seal(by(5, life.linked(one.stream_id)))]
    record.version += DAY_S
    later = record.seal(by(6, h.care_ended()))
    async with running(ground, Usage()):
        queries = UsageQueries(reader(ground))
        for event in (*events, later):
            head = ground.append([event])
            await queries.usage("north", "", "", 0, "", head)
        first, second = (await queries.usage("north", "", "", 0, "", 0)).days
        page = await queries.usage("north", "", "", 1, "", 0)
        rest = await queries.usage("north", "", "", 1, page.next_page_token, 0)
        until = await queries.usage("north", "", first.day, 0, "", 0)
        since = await queries.usage("north", second.day, "", 0, "", 0)
    assert (first.day, first.commands, first.events) == ("2023-11-14", 5, 7)
    assert (second.day, second.commands, second.events) == ("2023-11-15", 1, 1)
    assert first.bytes_stored == sum(len(each.envelope) + len(each.body) for each in events)
    # A message has the stream's id for its key, and each of its two fields a tag and a length.
    framing = sum(2 + len(_varint(len(each.envelope))) + len(_varint(len(each.body))) for each in events)
    assert first.bytes_published == first.bytes_stored + 16 * len(events) + framing
    assert [*page.days, *rest.days] == [first, second]
    assert rest.next_page_token == ""
    assert (list(until.days), list(since.days)) == ([first], [second])
