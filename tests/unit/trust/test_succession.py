"""A ledger whose log ended and was succeeded: its origin changes once, at the event that says so, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.trust.chain import FaultKind
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.format_fault import EndedFault, SignatureFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import (
    LOG_SUCCEEDED,
    Succession,
    first_of,
    is_at_or_after,
    is_successor,
    number_of,
    successor_of,
    with_ended,
)
from ledger.trust.log_ended import CLAIM_MAX, LogEnded, check_log_ended, is_log_ended, parse_log_ended
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.pack_check import PackTrust, check_pack_file
from ledger.trust.pack_fault import PackFault, PackRefused
from ledger.trust.policy import NO_QUORUM, Peer, Policy, Witnessed
from ledger.trust.range_walk import RangeJoin, RangeWalk
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, Row, RowFault, Summary, copies_of, verify_rows
from tests.unit.trust.sample_ledger import SampleLedger, record_id
from tests.unit.trust.tlog_samples import key
from verifier import verify as court

OLD, NEW, STRANGE = "ledger.example/north/1", "ledger.example/north/2", "ledger.example/south/2"
OLD_KEY, NEW_KEY = key(OLD, KeyKind.ED25519), key(NEW, KeyKind.ED25519)
SURVIVING, LOST = 20, 30
POLICY = Policy((Peer(NEW_KEY.verifier()),), {}, {}, NO_QUORUM)


def succeeded(origin: str = NEW, type_: str = LOG_SUCCEEDED) -> SampleLedger:
    """Twenty events under the old origin, the succession, fifteen more of the same records."""
    ledger = SampleLedger(origin=OLD, log=OLD_KEY)
    for number in range(SURVIVING):
        ledger.append(record_id(number % 4))
    ledger.origin, ledger.log = origin, NEW_KEY
    ledger.append(b"\x4c" * 16, type_)
    for number in range(15):
        ledger.append(record_id(number % 5))
    return ledger


def rows_of(ledger: SampleLedger) -> list[Row]:
    return [
        Row(
            each.index + 1,
            each.event.envelope,
            each.event.body,
            copies_of(decode(each.event.envelope), each.event.envelope),
        )
        for each in ledger.events
    ]


def in_ranges(rows: list[Row], events: int) -> Fault | Summary:
    join = RangeJoin(RootWatch(), digesting=True)
    for after in range(0, len(rows), events):
        walk = RangeWalk(after)
        for row in rows[after : after + events]:
            if walk.take(row):
                break
        if fault := join.take(walk.found()):
            return fault
    return join.summary()


def ended(**changed: object) -> LogEnded:
    return replace(
        LogEnded(Checkpoint(OLD, LOST, bytes(32)), SURVIVING, b"\x05" * 32, NEW_KEY.verifier(), "STORAGE_LOST"),
        **changed,  # pyright: ignore[reportArgumentType]  # fields by name
    )


def test_origins_of_one_ledger_are_numbered() -> None:
    """The next number of the same name, and nothing else, may follow; a name is never the beginning of another."""
    assert (successor_of(OLD), number_of(NEW), first_of(NEW), with_ended(NEW)) == (NEW, 2, OLD, [NEW, OLD])
    assert is_successor(NEW, OLD)
    assert not any(is_successor(each, OLD) for each in (OLD, "ledger.example/north/3", STRANGE, f"{NEW}/2"))
    assert is_at_or_after("ledger.example/north/12", OLD)
    assert not is_at_or_after(OLD, NEW)
    assert not is_at_or_after("ledger.example/nor/th/2", OLD)
    with pytest.raises(ValueError, match="number"):
        successor_of("ledger.example")


@pytest.mark.parametrize("events", [1, 7, SURVIVING, SURVIVING + 1, 40])
def test_the_walk_says_where_the_log_was_succeeded(events: int) -> None:
    """One walk, and ranges cut anywhere, also before and behind the succession, say the same."""
    rows = rows_of(succeeded())
    found = in_ranges(rows, events)
    assert isinstance(found, Summary)
    assert (found.origin, found.successions) == (NEW, (Succession(SURVIVING + 1, OLD, NEW),))
    assert found == verify_rows(rows)


@pytest.mark.parametrize("events", [1, 7, SURVIVING, 40])
@pytest.mark.parametrize(
    ("origin", "type_"),
    [(NEW, "ledger.v1.EntryRecorded"), ("ledger.example/north/3", LOG_SUCCEEDED), (STRANGE, LOG_SUCCEEDED)],
)
def test_another_origin_without_a_succession_is_a_fault(events: int, origin: str, type_: str) -> None:
    """The event that changes it must be a LogSucceeded, and the origin the very next one."""
    found = in_ranges(rows_of(succeeded(origin, type_)), events)
    assert isinstance(found, Fault)
    assert (found.kind, found.position) == (RowFault.LEDGER_ORIGIN, SURVIVING + 1)


def test_nothing_is_written_under_the_ended_origin_again() -> None:
    """An event of the old origin behind the succession is a fault of the ledger and of its record."""
    ledger = succeeded()
    ledger.origin = OLD
    ledger.append(record_id(0))
    found = verify_rows(rows_of(ledger))
    assert isinstance(found, Fault)
    assert found.kind in (RowFault.LEDGER_ORIGIN, FaultKind.ORIGIN)
    assert found.position == SURVIVING + 17


def verdicts(data: bytes) -> tuple[str, str]:
    """What the product and the court's verifier say of a pack under the new log's key."""
    try:
        held = f"{check_pack_file(data, PackTrust(POLICY, (), None)).mapped_version}"
    except PackRefused as refused:
        held = refused.fault.name
    try:
        said = court.check_pack(data, court.Policy([court.key_of(str(NEW_KEY.verifier()))], "none", {}, {}), [], None)
    except court.Refused as refused:
        return held, str(refused).partition(" at version ")[0]
    return held, said.split(" complete-to-version ")[1].split(" ")[0]


def test_a_record_that_began_before_is_proven_whole_under_the_new_log() -> None:
    """Its pack holds events of both origins; both verifiers take it, with the new log's key alone."""
    ledger = succeeded()
    published = ledger.publish_map()
    pack = ledger.pack(record_id(1), published)
    pack = replace(pack, checkpoint=Note(pack.checkpoint.text, (NEW_KEY.sign(pack.checkpoint.text),)), audit=None)
    events = len(ledger.events_of(record_id(1)))
    assert verdicts(pack.encode()) == (str(events), str(events))


@pytest.mark.parametrize("origin", [STRANGE, "ledger.example/north/3"])
def test_a_pack_of_a_later_or_another_log_is_refused(origin: str) -> None:
    """Only what survived of earlier logs of the same ledger may be in its tree."""
    ledger = SampleLedger(origin=origin, log=NEW_KEY)
    ledger.append(record_id(1))
    ledger.origin = NEW
    pack = ledger.pack(record_id(1), ledger.publish_map())
    pack = replace(pack, checkpoint=Note(pack.checkpoint.text, (NEW_KEY.sign(pack.checkpoint.text),)), audit=None)
    assert verdicts(pack.encode()) == (PackFault.ORIGIN.name, PackFault.ORIGIN.name)


def test_the_end_of_a_log_is_signed_by_both_keys() -> None:
    """By the log that ends, which nobody else can end, and by the one that goes on; and it says nothing else."""
    end = ended()
    both = Note(end.text(), (OLD_KEY.sign(end.text()), NEW_KEY.sign(end.text())))
    assert is_log_ended(both)
    assert check_log_ended(both, (OLD_KEY.verifier(),)) == end
    assert (min(end.lost), max(end.lost)) == (SURVIVING + 1, LOST)
    for one in (OLD_KEY, NEW_KEY):
        with pytest.raises(EndedFault):
            check_log_ended(Note(end.text(), (one.sign(end.text()),)), (OLD_KEY.verifier(),))
    with pytest.raises(EndedFault):
        check_log_ended(both, (key("ledger.example/other/1", KeyKind.ED25519).verifier(),))
    broken = Note(end.text().replace("STORAGE", "storage"), both.signatures)
    with pytest.raises(SignatureFault):
        check_log_ended(broken, (OLD_KEY.verifier(),))


@pytest.mark.parametrize(
    "text",
    [
        ended(surviving=LOST).text(),
        ended(successor=OLD_KEY.verifier()).text(),
        ended(successor=key(STRANGE, KeyKind.ED25519).verifier()).text(),
        ended(reason="").text(),
        ended().text() + "more\n",
        ended().text().replace("@v1", "@v2"),
        ended().text().replace(f"\n{LOST}\nledger", f"\n{LOST - 1}\nledger"),
        ended(claimed=LOST + CLAIM_MAX + 1).text(),
        ended(surviving_root=b"\x05" * 31).text(),
        ended(claimed=LOST + 9).text().replace(f"\n{LOST + 9}\n", "\n099\n"),
        ended().text().replace(f"\n{SURVIVING}\n", "\n020\n"),
        "",
    ],
)
def test_an_end_that_could_not_be_true_is_refused(text: str) -> None:
    """Nothing lost, no successor, another ledger's, no reason, another form."""
    with pytest.raises(EndedFault):
        parse_log_ended(text)


def test_an_end_may_give_up_more_than_its_last_head_shows() -> None:
    """Where a witness or a topic knew more and no head of it is left: heads up to what is claimed are lost, whatever
    their root, later ones are not. What survives may reach beyond the last head."""
    end = ended(surviving=LOST + 2, claimed=LOST + CLAIM_MAX + 2)
    both = Note(end.text(), (OLD_KEY.sign(end.text()), NEW_KEY.sign(end.text())))
    assert (is_log_ended(both), parse_log_ended(end.text())) == (True, end)
    assert check_log_ended(both, (OLD_KEY.verifier(),)).lost == range(LOST + 3, LOST + CLAIM_MAX + 3)
    given = [end.gives_up(Checkpoint(OLD, size, b"\x01" * 32)) for size in (LOST, LOST + 2, LOST + 3, LOST + 9)]
    assert given == [False, False, True, True]
    assert not end.gives_up(Checkpoint(OLD, LOST + CLAIM_MAX + 3, bytes(32)))


def test_an_end_says_whether_its_last_head_is_the_word_of_persons_alone() -> None:
    """A word behind the reason; no other word may stand there, and no reason may lack."""
    end = ended(unproven=True)
    assert end.text().splitlines()[-1] == "STORAGE_LOST unproven"
    assert (parse_log_ended(end.text()), parse_log_ended(ended().text()).unproven) == (end, False)
    for words in ({"unwitnessed": True}, {"unproven": True, "unwitnessed": True}):
        assert parse_log_ended(ended(**words).text()) == ended(**words)
    for reason in (
        "STORAGE_LOST proven",
        " unproven",
        "STORAGE_LOST  unproven",
        "STORAGE_LOST unproven unproven",
        "STORAGE_LOST unwitnessed unproven",
        "STORAGE_LOST unwitnessed unwitnessed",
        " unwitnessed",
    ):
        with pytest.raises(EndedFault):
            parse_log_ended(end.text().replace("STORAGE_LOST unproven", reason))


def test_old_heads_are_taken_for_what_the_end_says() -> None:
    """Up to what survives they are compared; above it they are lost; above the last one the key was used again."""
    ledger = succeeded()
    leaves = [leaf_hash(each.event.envelope) for each in ledger.events]

    def head(origin: str, size: int, root: bytes | None = None) -> Witnessed:
        right = RootWatch()
        right.take(leaves[:size])
        return Witnessed(Checkpoint(origin, size, root or right.root()), OLD_KEY.verifier(), {}, None)

    right = ended(surviving_root=head(OLD, SURVIVING).checkpoint.root)
    watch = RootWatch([head(OLD, 7), head(OLD, 25, b"\x01" * 32), head(OLD, LOST, bytes(32)), head(NEW, 36)], [right])
    assert (watch.take(leaves), watch.end()) == (None, None)
    assert [each.checkpoint.size for each in watch.compared] == [7, 36]
    assert sorted(each.checkpoint.size for each in watch.lost) == [25, LOST]
    for after in (head(OLD, LOST + 1, bytes(32)), head(OLD, LOST, b"\x01" * 32)):
        watch = RootWatch([after], [right])
        assert watch.take(leaves) is None
        assert watch.end() == Fault(RowFault.AFTER_END, after.checkpoint.size, b"", 0)
    assert RootWatch([head(OLD, 7, bytes(32))], [right]).take(leaves) == Fault(RowFault.SIGNED_ROOT, 7, b"", 0)
