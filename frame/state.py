"""State as a runtime sees it: an overlay of changes, with nested layers, over a backend of committed values.

A key is either the plain top-level key or, for a child trie, the pair (child name, key); one dict serves
both. Nothing here knows SCALE, pallets or tries: bytes in, bytes out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final

from frame.backend import Backend, Delta
from frame.generated import function

Key = bytes | tuple[bytes, bytes]

Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]
Decoded = tuple[Any, Encode]
"""An immutable value in the view that is not encoded yet, and what encodes it, which cannot fail."""

PLAIN: Final[dict[type, Encode]] = {}
"""Classes of immutable values that stand in the view as they are, without a tuple around, and what encodes
them: most of what a block touches are accounts.
"""


class Late:
    """A value that is worked out when someone asks for it, of what an immutable object holds: for what every
    extrinsic changes and hardly anyone reads.
    """

    __slots__ = ()

    def value(self) -> Any:
        """The value."""
        raise NotImplementedError

    def encoded(self) -> bytes:
        """Its encoding."""
        raise NotImplementedError


def kept(value: Any, encode: Encode) -> Any:
    """What stands in the view for an immutable value that `encode` will encode."""
    return value if type(value) in PLAIN else (value, encode)


def _encoded(found: Any) -> bytes:
    if type(found) is tuple:
        encoded: bytes = found[1](found[0])
        return encoded
    return found.encoded() if isinstance(found, Late) else PLAIN[type(found)](found)


class _Absent:
    """Marks "not there": in the journal, that the backend's value holds; from `read`, that nothing does."""

    __slots__ = ()


class _Added:
    """In the journal: an item was added to the append list of this key."""

    __slots__ = ()


class _Appended:
    """A SCALE sequence that grows: what it began with, and the items added since."""

    __slots__ = ("_body", "count", "items")

    def __init__(self, start: bytes) -> None:
        self.count, offset = _decode_compact(start)
        self._body = start[offset:]
        self.items: list[bytes] = []

    def joined(self) -> bytes:
        """The sequence with all items."""
        return _compact(self.count + len(self.items)) + self._body + b"".join(self.items)


_COUNTING_APPEND: Final = """\
before = view.get(prefix)
if type(before) is not bytes:
    before = get(prefix)
    if before is None: before = instead()
    if before is None: return
try: items = appends[append_key].items
except KeyError: items = start(append_key).items
if counter in view: note((counter, view.pop(counter)))
note(added)
items.append(before + raw)"""
"""A counter in the view was written by hand: it is counted anew when someone asks."""

ABSENT: Final = _Absent()
_ADDED: Final = _Added()
_Seen = Any  # bytes, None for nothing, a Decoded, a value of one of the classes in PLAIN, a Late
_Previous = _Seen | _Absent | _Added | _Appended

_LONG: Final = 128


class Overlay:
    """Changes over a backend, with nested layers that commit into their parent or roll back whole.

    Reads are one dict look-up: `view` holds both what was written and what was read from the backend. A
    value that a block reads and writes again and again stays decoded there (`read`, `write`) and is encoded
    once, when someone asks for its bytes. Every write notes in one journal what its key held before; a layer
    is a place in the journal: opening and keeping one costs next to nothing, rolling back what it wrote. Used
    as a context manager, it opens a layer and commits it, or rolls it back when an exception passes.
    """

    __slots__ = ("_appends", "_counters", "_marks", "_settled", "backend", "journal", "view")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        # These are never replaced by others of their kind: shortcuts hold them.
        self.view: dict[Key, _Seen] = {}
        """What is known now."""
        self._appends: dict[Key, _Appended] = {}
        self._counters: dict[Key, tuple[Key, Encode]] = {}
        """Keys that hold the number of items of an append list, with its key."""
        self.journal: list[Any] = []
        """Key, what it held before, key, what it held before, …: each write since the outermost layer began,
        and some before."""
        self._marks: list[int] = []
        """Where in the journal each open layer begins."""
        self._settled: list[Key] = []
        """Keys written before all that is in the journal, each as often as it was written."""

    def reset(self, backend: Backend) -> None:
        """Forget everything and stand on another backend."""
        self.backend = backend
        self.view.clear()
        self._appends.clear()
        self.journal.clear()
        self._marks.clear()
        self._settled.clear()

    def rebase(self, backend: Backend, most: int) -> None:
        """Stand on the state that the changes so far have made, which `backend` holds now: what is known of
        it stays in memory, decoded; of more than `most` values those that the changes wrote. Only for an
        overlay without open layers.
        """
        view = self.view
        if len(view) > most:
            young = {key: view[key] for key in self.written() if key in view}
            view.clear()
            view.update(young)
        self.backend = backend
        self._appends.clear()  # these are not in the view: they are read when someone asks
        self.journal.clear()
        self._settled.clear()

    def follow(self, other: Overlay, backend: Backend, most: int) -> None:
        """From the state that `other` has begun on to the one that it has made, which `backend` holds now. Of
        more than `most` values those that `other` wrote stay in memory.

        This one holds no changes of its own.
        """
        mine, theirs = self.view, other.view
        if len(mine) > most:
            mine.clear()
        for key in other.written():
            if key in theirs:
                mine[key] = theirs[key]
            else:
                mine.pop(key, None)
        self.backend = backend
        self._appends.clear()
        self.journal.clear()
        self._settled.clear()

    # -- reading --------------------------------------------

    def get(self, key: Key) -> bytes | None:
        """The value at `key` as of now, or None."""
        try:
            found = self.view[key]
        except KeyError:
            return self.load(key)
        if type(found) is not bytes and found is not None:
            found = self.view[key] = _encoded(found)
        return found  # type: ignore[no-any-return]

    def read(self, key: Key, decode: Decode, encode: Encode | None) -> Any:
        """The decoded value at `key`, or ABSENT. With `encode`, its inverse, it stays decoded: for immutable
        values only.
        """
        try:
            found = self.view[key]
        except KeyError:
            found = self.load(key)
        if found is None:
            return ABSENT
        if type(found) is tuple:
            return found[0]
        if type(found) is not bytes:
            return found.value() if isinstance(found, Late) else found
        value = decode(found)
        if encode is not None:
            self.view[key] = kept(value, encode)
        return value

    def load(self, key: Key) -> bytes | None:
        """The value at a key that is not in the view, which takes it up unless it will change by itself."""
        if self._appends:
            appended = self._appends.get(key)
            if appended is not None:
                return appended.joined()
            if key in self._counters:
                counted = self._counted(key)
                if counted is not None:
                    return counted
        value = self.backend.get(key) if isinstance(key, bytes) else self.backend.get(key[1], key[0])
        self.view[key] = value
        return value

    def _counted(self, counter: Key) -> bytes | None:
        key, encode = self._counters[counter]
        appended = self._appends.get(key)
        return None if appended is None else encode(appended.count + len(appended.items))

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The smallest present key strictly greater than `key`."""
        written = self._written(child)
        after = self.backend.next_key(key, child)
        at = bisect_right(written, key)
        while True:
            mine = written[at] if at < len(written) else None
            if mine is not None and (after is None or mine <= after):
                if self.get(mine if child is None else (child, mine)) is not None:
                    return mine
                if mine == after:
                    after = self.backend.next_key(after, child)
                at += 1
                continue
            return after

    def keys(self, prefix: bytes, child: bytes | None = None) -> Iterator[bytes]:
        """All present keys under `prefix`, in key order, as of the moment the iteration starts."""
        found: dict[bytes, None] = {}
        if self.get(prefix if child is None else (child, prefix)) is not None:
            found[prefix] = None
        key = self.backend.next_key(prefix, child)
        while key is not None and key.startswith(prefix):
            found[key] = None
            key = self.backend.next_key(key, child)
        for key in self._written(child):
            if key.startswith(prefix):
                found[key] = None
        for key in sorted(found):
            if self.get(key if child is None else (child, key)) is not None:
                yield key

    def written(self) -> dict[Key, None]:
        """All keys written so far."""
        found = dict.fromkeys(self._settled)
        self._settled[:] = found  # once each: who asks will ask again
        found.update(dict.fromkeys(self.journal[::2]))
        return found

    def _written(self, child: bytes | None) -> list[bytes]:
        keys = []
        for key in self.written():
            if isinstance(key, bytes):
                if child is None:
                    keys.append(key)
            elif key[0] == child:
                keys.append(key[1])
        return sorted(keys)

    # -- writing --------------------------------------------

    def put(self, key: Key, value: bytes | None) -> None:
        """Set the value at `key`; None deletes it."""
        if self._appends and key in self._appends:
            self._end_appends(key)
        view = self.view
        self.journal.extend((key, view.get(key, ABSENT)))
        view[key] = value

    def write(self, key: Key, value: object, encode: Encode) -> None:
        """Set the value at `key`, to be encoded later: an immutable one of which `encode` cannot fail."""
        if self._appends and key in self._appends:
            self._end_appends(key)
        view = self.view
        self.journal.extend((key, view.get(key, ABSENT)))
        view[key] = kept(value, encode)

    def append(self, key: Key, item: bytes) -> None:
        """Add an encoded item to the SCALE sequence at `key`, without reading and writing all of it."""
        appended = self._appends.get(key) or self._start_appends(key)
        self.journal.extend((key, _ADDED))
        appended.items.append(item)

    def counting_appender(
        self, key: Key, counter: Key, encode: Encode, prefix: Key, otherwise: Callable[[], bytes | None]
    ) -> Callable[[bytes], None]:
        """What does `append` at `key`, of the value at `prefix` and the item after it; where there is no such
        value, of what `otherwise` says, and of nothing if that is None. From the first time on `counter`
        holds the number of items, as `encode` encodes it.
        """
        lines, names = self.counting_append(key, counter, encode, prefix, otherwise)
        text = "\n    ".join(["def append(raw):", *lines])
        made: Callable[[bytes], None] = function("append", text, names)
        return made

    def counting_append(
        self, key: Key, counter: Key, encode: Encode, prefix: Key, otherwise: Callable[[], bytes | None]
    ) -> tuple[list[str], dict[str, Any]]:
        """The statements of `counting_appender`, of the item `raw`, and what their names stand for."""
        self._counters[counter] = (key, encode)
        names = {
            "added": (key, _ADDED),
            "append_key": key,
            "appends": self._appends,
            "counter": counter,
            "get": self.get,
            "instead": otherwise,
            "note": self.journal.extend,
            "prefix": prefix,
            "start": self._start_appends,
            "view": self.view,
        }
        return _COUNTING_APPEND.splitlines(), names

    def getter(self, key: Key) -> Callable[[], bytes]:
        """`get` of one key; nothing is the empty string."""
        view, get = self.view, self.get

        def read() -> bytes:
            found = view.get(key)
            return found if type(found) is bytes else get(key) or b""

        return read

    def counter(self, first: Key, second: Key, head: bytes) -> Callable[[], None]:
        """What adds one to the u32 at `first`, and sets `second` to `head` and that number. Neither is ever
        appended to.
        """
        view, get, note, number = self.view, self.get, self.journal.extend, int.from_bytes

        def count() -> None:
            before = view.get(first, ABSENT)
            known = before if type(before) is bytes else get(first) or b""
            new = (number(known, "little") + 1).to_bytes(4, "little")
            note((first, before, second, view.get(second, ABSENT)))
            view[first] = new
            view[second] = head + new

        return count

    def _start_appends(self, key: Key) -> _Appended:
        previous = self.get(key)
        self.journal.extend((key, previous))
        self.view.pop(key, None)
        appended = self._appends[key] = _Appended(previous or b"\0")
        for counter, (counted, _) in self._counters.items():
            if counted == key:
                self.journal.extend((counter, self.view.pop(counter, ABSENT)))
        return appended

    def _end_appends(self, key: Key) -> None:
        """The list is about to be overwritten: the journal keeps it, and its number stays as it is."""
        for counter, (counted, _) in self._counters.items():
            if counted == key and counter not in self.view:
                self.journal.extend((counter, ABSENT))
                self.view[counter] = self._counted(counter)
        self.journal.extend((key, self._appends.pop(key)))

    def kill_prefix(self, prefix: bytes, limit: int | None = None, child: bytes | None = None) -> int:
        """Delete up to `limit` keys under `prefix` in key order; returns how many were deleted."""
        count = 0
        for key in list(self.keys(prefix, child)):
            if count == limit:
                break
            self.put(key if child is None else (child, key), None)
            count += 1
        return count

    # -- layers --------------------------------------------

    def begin(self) -> None:
        """Open a nested layer."""
        self._marks.append(len(self.journal))

    def commit(self) -> None:
        """Close the innermost layer and keep its changes."""
        marks = self._marks
        marks.pop()
        if not marks and len(self.journal) > _LONG:
            self._settle()

    def _settle(self) -> None:
        """Forget what can never be rolled back any more."""
        self._settled += self.journal[::2]
        self.journal.clear()

    def rollback(self) -> None:
        """Close the innermost layer and undo its changes, the last one first."""
        start, journal = self._marks.pop(), self.journal
        if len(journal) == start:  # as after most judgements
            return
        view, appends = self.view, self._appends
        while len(journal) > start:
            previous = journal.pop()
            key = journal.pop()
            if previous is _ADDED:
                appends[key].items.pop()
                for counter, (counted, _) in self._counters.items():
                    if counted == key:
                        view.pop(counter, None)
            elif type(previous) is _Appended:
                appends[key] = previous
                view.pop(key, None)
            else:
                if appends:
                    appends.pop(key, None)
                if previous is ABSENT:
                    view.pop(key, None)
                else:
                    view[key] = previous

    def undo(self, start: int) -> None:
        """Undo what was written since the journal had `start` entries, in a layer that stays open."""
        self._marks.append(start)
        self.rollback()

    @property
    def depth(self) -> int:
        """How many layers are open."""
        return len(self._marks)

    def __enter__(self) -> Overlay:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()

    # -- the result --------------------------------------------

    def delta(self) -> Delta:
        """Everything written so far, in key order. Only for an overlay without open layers.

        Deleting what was never there is no change: a block sets and clears some items of its own.
        """
        if self._marks:
            raise ValueError("a layer is still open")
        top: dict[bytes, bytes | None] = {}
        children: dict[bytes, dict[bytes, bytes | None]] = {}
        view = self.view
        self._settle()
        for key in self.written():
            value: Any = view.get(key, ABSENT)
            if value is ABSENT:
                value = self.load(key)
            elif type(value) is not bytes and value is not None:
                value = _encoded(value)
            if type(key) is bytes:
                if value is not None or self.backend.get(key) is not None:
                    top[key] = value
            elif value is not None or self.backend.get(key[1], key[0]) is not None:  # type: ignore[arg-type]
                children.setdefault(key[0], {})[key[1]] = value  # type: ignore[arg-type,index]
        return Delta(
            {key: top[key] for key in sorted(top)},
            {name: dict(sorted(changes.items())) for name, changes in sorted(children.items())},
        )


class Recorder(Overlay):
    """An overlay that also counts the distinct keys read from the backend and the distinct keys written."""

    __slots__ = ("reads", "writes")

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.reads: dict[Key, int] = {}
        self.writes: dict[Key, int] = {}

    def start(self) -> None:
        """Forget what was counted."""
        self.reads = {}
        self.writes = {}

    def get(self, key: Key) -> bytes | None:
        # A value that this run wrote before reading is no read of the database.
        if key not in self.writes:
            self.reads[key] = self.reads.get(key, 0) + 1
        return super().get(key)

    def read(self, key: Key, decode: Decode, encode: Encode | None) -> Any:
        if key not in self.writes:
            self.reads[key] = self.reads.get(key, 0) + 1
        return super().read(key, decode, encode)

    def put(self, key: Key, value: bytes | None) -> None:
        self.writes[key] = self.writes.get(key, 0) + 1
        super().put(key, value)

    def write(self, key: Key, value: object, encode: Encode) -> None:
        self.writes[key] = self.writes.get(key, 0) + 1
        super().write(key, value, encode)

    def append(self, key: Key, item: bytes) -> None:
        self.writes[key] = self.writes.get(key, 0) + 1
        super().append(key, item)

    def getter(self, key: Key) -> Callable[[], bytes]:
        return lambda: self.get(key) or b""

    def counter(self, first: Key, second: Key, head: bytes) -> Callable[[], None]:
        def count() -> None:
            new = (int.from_bytes(self.get(first) or b"", "little") + 1).to_bytes(4, "little")
            self.put(first, new)
            self.put(second, head + new)

        return count

    def counting_appender(
        self, key: Key, counter: Key, encode: Encode, prefix: Key, otherwise: Callable[[], bytes | None]
    ) -> Callable[[bytes], None]:
        append = super().counting_appender(key, counter, encode, prefix, otherwise)

        def counted(item: bytes) -> None:
            before = len(self.journal)
            append(item)
            if len(self.journal) > before:
                for written in (key, counter):
                    self.writes[written] = self.writes.get(written, 0) + 1

        return counted


def _decode_compact(data: bytes) -> tuple[int, int]:
    """A SCALE compact length and the bytes it takes."""
    size = (1, 2, 4)[data[0] & 3]
    return int.from_bytes(data[:size], "little") >> 2, size


def _compact(n: int) -> bytes:
    """A SCALE compact length; sequences here stay far below 2**30 items."""
    if n < 1 << 6:
        return bytes((n << 2,))
    if n < 1 << 14:
        return (n << 2 | 1).to_bytes(2, "little")
    return (n << 2 | 2).to_bytes(4, "little")
