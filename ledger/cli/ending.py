"""The end of a log by its files and keys: made under both logs' keys, or found as an earlier run has left it."""

from __future__ import annotations

import asyncio

from ledger.blobs.contract import Blobs
from ledger.cli.giving_up import Loss
from ledger.cli.log_store import key_folder, known_keys, log_blobs
from ledger.config import Settings
from ledger.integrator.log_keys import KeyUnusable, LogKeys
from ledger.keys.key_folder import KeyFolder
from ledger.log.log_files import ENDED, REFILLED, REPAIR, SUCCEEDED, LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import Verifiers
from ledger.trust.lineage import successor_of
from ledger.trust.log_ended import LogEnded, check_log_ended
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.signed_note import signers

_UNDER_WAY = "a succession is under way; run `ledger repair succeed` again"


class SuccessionUnderWay(Exception):
    """A succession is under way; `ledger repair succeed` ends it, and lets commands in."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def is_under_way(files: LogFiles) -> bool:
    """Whether this log has ended, or is a successor that has not begun yet. Blocks. BlobError."""
    return files.read(ENDED) is not None or files.halted_by(REPAIR) == _UNDER_WAY


class Ending:
    """Of one hospital's logs. Every call raises LogDamaged, BlobError, EndedFault, SignatureFault."""

    def __init__(self, settings: Settings, hospital: str) -> None:
        """Nothing is read before it is needed."""
        self._settings = settings
        self._hospital = hospital
        self._blobs: Blobs = log_blobs(settings)
        self._folder = KeyFolder(key_folder(settings))
        self._known = known_keys(settings)

    @property
    def known(self) -> Verifiers:
        """The keys of logs that are known here."""
        return self._known

    def files(self, origin: str) -> LogFiles:
        """Those of one log."""
        return LogFiles(self._blobs, log_folder(self._hospital, origin))

    async def under_way(self, origin: str, head: int) -> LogEnded | None:
        """The end of the log before, where the ledger has moved on from it to `origin` and nothing was appended yet."""
        files = self.files(origin)
        if await asyncio.to_thread(files.read, SUCCEEDED) is None:
            return None
        ended = self._checked(files, SUCCEEDED)
        # The ledger too, should somebody have taken the words away: without its LogSucceeded it takes no command.
        begun = head > ended.surviving
        return None if begun and await asyncio.to_thread(files.halted_by, REPAIR) != _UNDER_WAY else ended

    async def found(self, origin: str) -> LogEnded | None:
        """How this log has ended; None while it goes on."""
        files = self.files(origin)
        return self._checked(files, ENDED) if await asyncio.to_thread(files.ended) is not None else None

    def old_keys(self, origin: str) -> tuple[SigningKey, ...]:
        """Those that sign for the log that is to end. KeyUnusable, also where none of them has signed its last head:
        who knows the log by that head believes no end of theirs.
        """
        keys, signed = self._keys(make=False).of(origin), self.files(origin).signed()
        if signed is not None and not signers(signed, [key.verifier() for key in keys]):
            raise KeyUnusable(
                origin, "it has not signed the last head of its log, which only the key of that head ends"
            )
        return keys

    async def close(self, origin: str, old: tuple[SigningKey, ...], loss: Loss, reason: str) -> LogEnded:
        """Closes the log: from here on nothing is signed under its origin. KeyUnusable, BlobDiffers."""
        new = await asyncio.to_thread(self._keys(make=True).of, successor_of(origin))
        key = new[0].verifier()
        ended = LogEnded(
            loss.last, loss.surviving, loss.surviving_root, key, reason, loss.claimed, loss.unproven, loss.unwitnessed
        )
        text = ended.text()
        note = Note(text, tuple(key.sign(text) for key in (*old, *new)))
        await asyncio.to_thread(self.files(origin).write, {ENDED: note.encode()})
        return self._checked(self.files(origin), ENDED)

    async def show(self, ended: LogEnded) -> None:
        """Puts the end beside the log that goes on, which takes nothing yet. KeyUnusable without its very key."""
        new = ended.successor.name
        if ended.successor not in {key.verifier() for key in await asyncio.to_thread(self._keys(make=False).of, new)}:
            raise KeyUnusable(new, f"not the key that the end of {ended.last.origin} names, {ended.successor}")
        successor, end = self.files(new), self.files(ended.last.origin).read(ENDED) or b""
        await asyncio.to_thread(successor.halt, REPAIR, _UNDER_WAY)
        await asyncio.to_thread(successor.write, {SUCCEEDED: end})

    def put_old_keys_away(self, ended: LogEnded) -> None:
        """They sign nothing more."""
        for path in self._folder.signing_paths(ended.last.origin, KeyKind.ED25519):
            self._folder.put_away(path)

    def let_commands_in(self, ended: LogEnded) -> None:
        """But for a refill that nobody has accepted yet: what it brought back has no reservations all the same. What a
        restore said of lost positions ends with them.
        """
        successor, said = self.files(ended.successor.name), self.files(ended.last.origin).halted_by(REPAIR)
        if said.endswith(REFILLED):
            successor.halt(REPAIR, said)
        else:
            successor.resume(REPAIR)

    def _keys(self, *, make: bool) -> LogKeys:
        """A key is made for the log that goes on alone: with one made anew for the old log anybody could end it."""
        passphrase = self._settings.log_passphrase_file
        return LogKeys(self._folder.folder, passphrase, make=make, verifiers=self._known.verifiers)

    def _checked(self, files: LogFiles, path: str) -> LogEnded:
        note = files.ended() if path == ENDED else files.succeeded()
        if note is None:
            raise LogDamaged(path, "missing")
        origin = _ended_origin(note)
        known = {*self._folder.verifiers_of(origin, KeyKind.ED25519), *self._known(origin)}
        return check_log_ended(note, tuple(known))


def _ended_origin(note: Note) -> str:
    return [*note.text.split("\n"), "", ""][1]
