"""The tamper matrix as data: each class of stored bytes, its checker, and what becomes of each change.

`docs/tampering.md` is made from it, and each cell is a test: of every run, or of `make test-long`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.fault.tampering.changes import Change


class Verdict(Enum):
    """What becomes of a change. There is no other outcome: nothing is accepted and different."""

    REFUSED = "refused"
    """The checker refuses, and its report names the place."""
    UNCHANGED = "unchanged"
    """It says the very same as before."""
    EITHER = "refused or unchanged"
    """One or the other, as the bit falls."""
    LESS = "refused or less"
    """What is still said was said before: something that could have been left out is taken away."""
    TOLD = "cannot be seen, and says so"
    """It holds, and the checker says in words that this is what it cannot see."""


@dataclass(frozen=True)
class Cell:
    """One change of one class."""

    verdict: Verdict | None
    """None: the change does not apply."""
    why: str = ""


@dataclass(frozen=True)
class Thing:
    """One row: a class of stored bytes."""

    name: str
    medium: tuple[str, str]
    """Group and name of the medium that changes it, as in `media.py`."""
    what: str
    checker: str
    flip: Cell
    delete: Cell
    swap: Cell
    replay: Cell
    truncate: Cell
    note: str = ""

    def cell(self, change: Change) -> Cell:
        """The cell of a column."""
        cells = (self.flip, self.delete, self.swap, self.replay, self.truncate)
        return dict(zip(Change, cells, strict=True))[change]


def _no(why: str) -> Cell:
    return Cell(None, why)


R = Cell(Verdict.REFUSED)
SAME = Cell(Verdict.UNCHANGED)
EITHER = Cell(Verdict.EITHER)
LESS = Cell(Verdict.LESS)
TOLD = Cell(Verdict.TOLD)
NUMBER = _no("a number has no end to be cut off")
ONE = _no("there is one")
ROWS = _no("its columns are changed one by one")
_FILES = _no("its files are changed one by one")
_LEDGER = "`ledger verify` with a remembered checkpoint"
_KEYS = "`ledger verify keys`, KeyService"
_LOG = "`ledger verify log` with a remembered checkpoint"

THINGS: tuple[Thing, ...] = (
    Thing(
        "event body", ("ledger", "body"), "column `body` of `events`",
        _LEDGER, R, R, R, R, R,
    ),
    Thing(
        "envelope", ("ledger", "envelope"), "column `envelope`",
        _LEDGER, R, R, R, R, R,
    ),
    Thing(
        "columns beside the envelope", ("ledger", "columns"), "stream, version, type, time, leaf hash",
        _LEDGER, R, R, R, R, R,
    ),
    Thing(
        "chain hash", ("ledger", "prev_leaf"), "`prev_leaf` in the envelope, leaf hash and column made to fit",
        _LEDGER, R, R, R, R, R,
    ),
    Thing(
        "position order", ("ledger", "order"), "which event stands at which position",
        _LEDGER, R, R, R, R, R,
        "Where events of two records change places and neither is its record's last, every chain holds: "
        "what is named is the signed size whose root is missed.",
    ),
    Thing(
        "trace of a command", ("ledger", "traceparent"), "column `traceparent`",
        _LEDGER, SAME, SAME, _no("all of one call are the same"), _no("all of one call are the same"), SAME,
        "Nobody proves it.",
    ),
    Thing(
        "head of a stream", ("ledger", "stream head"), "row of `stream_heads`",
        _LEDGER, R, R, R, R, EITHER,
    ),
    Thing(
        "kind of a stream", ("ledger", "stream kind"), "column `kind`",
        _LEDGER, SAME, SAME, SAME, SAME, SAME,
        "No envelope says it: it follows from the type of the first event, and steers lists alone.",
    ),
    Thing(
        "head of the ledger", ("ledger", "head"), "row of `head`",
        _LEDGER, R, R, _no("its two values are of other kinds"), ONE, EITHER,
    ),
    Thing(
        "a whole history", ("ledger", "history"), "an event written anew with all that follows, or all rolled back",
        _LEDGER,
        R, _no("all later positions would move: it is the same as to write anew"), _no("the same"), _no("the same"), R,
    ),
    Thing(
        "a whole history, nothing remembered", ("ledger", "history alone"), "the same",
        "`ledger verify` alone", TOLD, _no("as above"), _no("as above"), _no("as above"), TOLD,
    ),
    Thing(
        "register of commands", ("ledger", "beside"), "rows of `commands`",
        _LEDGER, SAME, SAME, SAME, SAME, SAME,
        "Outside the chain: it says which command was done, not what happened.",
    ),
    Thing(
        "reservations", ("ledger", "reservations"), "rows of `reservations`",
        _LEDGER, SAME, SAME, SAME, SAME, SAME,
        "The same.",
    ),
    Thing(
        "actor register", ("ledger", "actors"), "rows of `actors`",
        _LEDGER, SAME, SAME, SAME, SAME, SAME,
        "Mutable and erasable; each body holds the name as signed.",
    ),
    Thing(
        "hash tile", ("log", "tile"), "`tile/<L>/<N>`",
        _LOG, R, R, R, R, R,
    ),
    Thing(
        "entry bundle", ("log", "entries"), "`tile/entries/<N>`",
        _LOG, R, R, R, R, R,
    ),
    Thing(
        "bodies bundle", ("log", "bodies"), "`bodies/<N>`",
        _LOG, R, R, R, R, R,
    ),
    Thing(
        "checkpoint", ("log", "checkpoint"), "`checkpoint`",
        _LOG, R, R, ONE, R, R,
    ),
    Thing(
        "checkpoint, nothing remembered", ("log", "checkpoint alone"), "the same",
        "`ledger verify log` alone", R, R, ONE, TOLD, R,
    ),
    Thing(
        "signed head", ("log", "signed"), "`signed`",
        "the integrator, before it goes on",
        R, R, ONE, Cell(Verdict.UNCHANGED, "the published head is the larger one"), R,
    ),
    Thing(
        "fence of heads", ("log", "heads"), "`heads/<size>`",
        "the integrator, before it goes on", SAME, SAME, SAME, _no("a size has one text for ever"), SAME,
        "It proves nothing: another text can only stop a signature.",
    ),
    Thing(
        "seen head", ("log", "seen"), "`seen/<size>`",
        "the integrator, before it goes on; `ledger verify log`", R, R, R, _no("a size has one text for ever"), R,
        "Each must be what the fence of its size says, so one under another size is found too. Fence and head changed "
        "alike stop the growth at that size.",
    ),
    Thing(
        "names of seen heads", ("log", "seen names"), "`seen/sizes`",
        "the integrator, before it goes on; `ledger verify log`", R, SAME, ONE,
        _no("a head more is a line more"), EITHER,
        "A head without its name is held to its fence, and named again.",
    ),
    Thing(
        "all seen heads", ("log", "seen whole"), "the folder `seen/`",
        "the integrator, before it goes on; `ledger verify log`", _FILES, R, _FILES, _FILES, _FILES,
        "Up to `known` each fence beyond the newest head must be of a seen head, or of one whose tiles are there.",
    ),
    Thing(
        "all seen heads and `known`", ("log", "seen and known"), "the folder `seen/` and the file `known`",
        "the integrator, before it goes on; `ledger verify log`", _FILES, R, _FILES, _FILES, _FILES,
        "The fences next above the newest head, up to the thousand after the next one, are looked at in any case. Who "
        "takes these too leaves nothing in these files that could show it: witnesses, the topic and receivers do.",
    ),
    Thing(
        "wrapped key", ("keys", "key columns"), "`key_id`, `generation`, `wrapped` of `record_keys`",
        _KEYS, R, R, R, R, EITHER,
    ),
    Thing(
        "place of a key", ("keys", "key place"), "`origin`, `stream_id`",
        _KEYS, R, R, EITHER, EITHER, R,
    ),
    Thing(
        "time of a key", ("keys", "key times"), "`made_at`",
        _KEYS, SAME, SAME, EITHER, EITHER, _no("a time has no end"),
    ),
    Thing(
        "key row", ("keys", "key row"), "a row of `record_keys`",
        _KEYS, ROWS, R, R, Cell(Verdict.UNCHANGED, "the same key in the wrapping of an earlier generation"), R,
        "Taken away without a RecordDestroyed: `KEY_MISSING`; exchanged: `KEY_ID`.",
    ),
    Thing(
        "tombstone", ("keys", "tombstone"), "the row of a destroyed record",
        _KEYS, ROWS, R, ONE, R, R,
        "The old row put back: `KEY_PUT_BACK`, and nothing opens while the register knows the destruction.",
    ),
    Thing(
        "position in a tombstone", ("keys", "tombstone columns"), "`destroyed_by`",
        _KEYS, R, R, ONE, ONE, NUMBER,
    ),
    Thing(
        "key row and register", ("keys", "put back"), "both as before the destruction",
        "`ledger verify keys`", ROWS, ROWS, ONE, R, _no("as above"),
        "An older state of the keys as a whole names an older `erased_up_to` too: then the next start "
        "applies the destruction again before anybody is served.",
    ),
    Thing(
        "statement of a destruction", ("keys", "purge statement"), "row of `purges`",
        _KEYS, R, R, EITHER, ONE, EITHER,
    ),
    Thing(
        "time and generation of a tombstone", ("keys", "tombstone times"), "`destroyed_at`, `generation`",
        _KEYS, R, R, R, ONE, R,
    ),
    Thing(
        "dates of the register", ("keys", "register columns"),
        "`unreadable_at`, `generation`, `holders_known`, `proof` of `purges`",
        _KEYS, R, R, R, R, R,
        "The proof is an HMAC under a key of the key file, over the row, its holders and the tombstone. A row without "
        "one is written anew by the next look, unreadable from then on.",
    ),
    Thing(
        "row of the register", ("keys", "register row"), "the row of `purges`",
        _KEYS, ROWS, R, ONE, R, R,
    ),
    Thing(
        "what a holder says", ("keys", "holder columns"), "columns of `purge_holders`",
        _KEYS, R, R, R, R, R,
    ),
    Thing(
        "holder", ("keys", "holder row"), "a row of `purge_holders`",
        _KEYS, ROWS, R, R, R, R,
        "Nobody makes an acknowledgement up. Who puts back the register's row and all its holders as they were before "
        "one is not found: the list says OPEN again, and asks once more.",
    ),
    Thing(
        "view row", ("views", "view"), "rows of every view",
        "`ledger project compare`; `rebuild` heals", EITHER, R, EITHER, R, R,
        "What a view was told otherwise (opened content that was changed, a body in the clear) is found and healed "
        "alike (`tests/integration/projections/test_tampered_feed.py`).",
    ),
    Thing(
        "message: envelope", ("stream", "message envelope"), "in the value",
        "reader of the stream", R, R, R, R, R,
    ),
    Thing(
        "message: body", ("stream", "message body"), "in the value",
        "reader of the stream", R, R, R, R, R,
    ),
    Thing(
        "message: key", ("stream", "message key"), "the stream's id",
        "reader of the stream", R, R, R, R, R,
    ),
    Thing(
        "message: headers", ("stream", "message headers"), "all but the trace",
        "reader of the stream", R, EITHER, R, R, R,
        "`ce_isocode` may be missing: a publisher that does not know the type writes none.",
    ),
    Thing(
        "message: trace", ("stream", "message trace"), "`traceparent`",
        "reader of the stream",
        SAME, SAME, _no("all of one call are the same"), _no("all of one call are the same"), SAME,
        "Nobody proves it.",
    ),
    Thing(
        "message", ("stream", "message"), "a message of the topic",
        "reader of the stream", ROWS, R, R, Cell(Verdict.UNCHANGED, "passed over as a repeat"), LESS,
        "What is missing at a topic's end is not seen there: the publisher compares it with the ledger and "
        "fills it again.",
    ),
    Thing(
        "proof file: header", ("proofs", "proof header"), "first line",
        "`ledger verify proof`", R, R, ONE, ONE, R,
    ),
    Thing(
        "proof file: index", ("proofs", "proof index"), "position less one",
        "`ledger verify proof`", R, R, ONE, ONE, R,
    ),
    Thing(
        "proof file: path", ("proofs", "proof hash"), "hashes",
        "`ledger verify proof`", R, R, R, R, R,
    ),
    Thing(
        "proof file: checkpoint", ("proofs", "proof text"), "origin, size, root",
        "`ledger verify proof`", R, R, R, R, R,
    ),
    Thing(
        "proof file: log's signature", ("proofs", "proof signature"), "its line",
        "`ledger verify proof`", R, R, ONE, R, R,
    ),
    Thing(
        "proof file: cosignatures", ("proofs", "proof cosignature"), "their lines",
        "`ledger verify proof`", R, R, SAME, R, R,
    ),
    Thing(
        "pack: header and record", ("proofs", "pack header"), "first two lines",
        "`ledger verify pack`", R, R, R, ONE, R,
    ),
    Thing(
        "pack: envelopes", ("proofs", "pack event"), "lines `event`",
        "`ledger verify pack`", R, R, R, _no("an earlier pack has the same"), R,
    ),
    Thing(
        "pack: bodies", ("proofs", "pack body"), "lines `body`",
        "`ledger verify pack`", R, LESS, R, _no("an earlier pack has the same"), R,
        "A pack may be made without bodies.",
    ),
    Thing(
        "pack: places and paths", ("proofs", "pack place"), "`head`, `later`, `place`, `hash`",
        "`ledger verify pack`", R, R, R, R, R,
    ),
    Thing(
        "pack: published map", ("proofs", "pack map"), "`map`, `opened`",
        "`ledger verify pack`", R, R, R, R, R,
    ),
    Thing(
        "pack: bucket", ("proofs", "pack bucket"), "`bucket`",
        "`ledger verify pack`", R, R, ONE, R, R,
    ),
    Thing(
        "pack: monitor's word", ("proofs", "pack audit"), "`audit`",
        "`ledger verify pack`", LESS, LESS, ONE, R, R,
        "A note by nobody whom the reader trusts is none: `Map unaudited`.",
    ),
    Thing(
        "pack: checkpoint", ("proofs", "pack text"), "origin, size, root",
        "`ledger verify pack`", R, R, R, R, R,
    ),
    Thing(
        "pack: log's signature", ("proofs", "pack signature"), "its line",
        "`ledger verify pack`", R, R, ONE, R, R,
    ),
    Thing(
        "pack: cosignatures", ("proofs", "pack cosignature"), "their lines",
        "`ledger verify pack`", R, R, SAME, R, R,
    ),
    Thing(
        "transfer package", ("package", "package"), "the bytes on their way",
        "receiving hospital", R, R, R, R, R,
    ),
    Thing(
        "package: envelopes", ("package", "package envelope"), "where the sender offers what he has changed",
        "receiving hospital", R, R, R, R, R,
    ),
    Thing(
        "package: bodies", ("package", "package body"), "the same",
        "receiving hospital", R, R, R, R, R,
    ),
)  # fmt: skip


def cells() -> list[tuple[Thing, Change, Cell]]:
    """Every cell in which something is changed."""
    return [(thing, change, thing.cell(change)) for thing in THINGS for change in Change if thing.cell(change).verdict]


SLOW = ("stream", "views")
"""Groups whose every check makes a topic or builds a view: most of their cells are `make test-long`."""
OF_EVERY_RUN: tuple[tuple[str, Change], ...] = (
    ("message: envelope", Change.FLIP),
    ("message: body", Change.FLIP),
    ("message: headers", Change.FLIP),
    ("message", Change.DELETE),
    ("message", Change.SWAP),
    ("view row", Change.DELETE),
    ("view row", Change.REPLAY),
)
"""Those of the slow groups that `make test` has."""


def of_every_run(thing: Thing, change: Change) -> bool:
    """Whether the cell is a test of `make test`; else of `make test-long`."""
    return thing.medium[0] not in SLOW or (thing.name, change) in OF_EVERY_RUN
