"""Storage layers against a model: a stack of plain dicts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from frame.backend import Delta, MemoryBackend
from frame.state import Overlay, Recorder

KEYS = [b"a", b"ab", b"b", b"ba", b"c"]
step = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), st.one_of(st.none(), st.binary(max_size=3))),
    st.tuples(st.just("begin"), st.none(), st.none()),
    st.tuples(st.just("commit"), st.none(), st.none()),
    st.tuples(st.just("rollback"), st.none(), st.none()),
    st.tuples(st.just("append"), st.just(b"list"), st.binary(min_size=1, max_size=1)),
    st.tuples(st.just("put"), st.just(b"list"), st.one_of(st.none(), st.just(b""))),
    st.tuples(st.just("kill"), st.sampled_from([b"", b"a", b"b", b"zz"]), st.integers(0, 3)),
)


class Model:
    """What an overlay must do, done by copying everything."""

    def __init__(self, base: dict[bytes, bytes]) -> None:
        self.layers = [dict(base)]

    def put(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.layers[-1].pop(key, None)
        else:
            self.layers[-1][key] = value

    def append(self, key: bytes, item: bytes) -> None:
        old = self.layers[-1].get(key) or b"\0"
        self.layers[-1][key] = bytes([old[0] + 4]) + old[1:] + item


@settings(max_examples=300, deadline=None)
@given(st.lists(step, max_size=40), st.dictionaries(st.sampled_from(KEYS), st.binary(min_size=1, max_size=2)))
def test_nested_layers_behave_like_copies(
    steps: list[tuple[str, bytes, object]], base: dict[bytes, bytes]
) -> None:
    overlay, model = Overlay(MemoryBackend(base)), Model(base)
    for kind, key, value in steps:
        if kind == "put":
            overlay.put(key, value)  # type: ignore[arg-type]
            model.put(key, value)  # type: ignore[arg-type]
        elif kind == "append":
            overlay.append(key, value)  # type: ignore[arg-type]
            model.append(key, value)  # type: ignore[arg-type]
        elif kind == "kill":
            doomed = [k for k in sorted(model.layers[-1]) if k.startswith(key)][: int(value)]  # type: ignore[call-overload]
            assert overlay.kill_prefix(key, value) == len(doomed)  # type: ignore[arg-type]
            for k in doomed:
                model.put(k, None)
        elif kind == "begin":
            overlay.begin()
            model.layers.append(dict(model.layers[-1]))
        elif len(model.layers) > 1:
            top = model.layers.pop()
            if kind == "commit":
                overlay.commit()
                model.layers[-1] = top
            else:
                overlay.rollback()
        now = model.layers[-1]
        assert list(overlay.keys(b"")) == sorted(now)
        assert {key: overlay.get(key) for key in now} == now
        for start in KEYS:
            after = [k for k in sorted(now) if k > start]
            assert overlay.next_key(start) == (after[0] if after else None)
    while len(model.layers) > 1:
        overlay.commit()
        top = model.layers.pop()
        model.layers[-1] = top
    assert MemoryBackend(base).after(overlay.delta()).top == model.layers[0]
    assert list(overlay.delta().top) == sorted(overlay.delta().top)


def test_append_goes_on_from_what_is_there() -> None:
    overlay = Overlay(MemoryBackend({b"k": b"\x04x"}))
    overlay.append(b"k", b"y")
    assert overlay.get(b"k") == b"\x08xy"
    for _ in range(70):
        overlay.append(b"k", b"z")
    assert overlay.get(b"k") == (72 << 2 | 1).to_bytes(2, "little") + b"xy" + b"z" * 70


def test_children_have_keys_of_their_own() -> None:
    backend = MemoryBackend({b"k": b"top"}, {b"c": {b"k": b"child"}})
    overlay = Overlay(backend)
    overlay.put((b"c", b"k"), b"new")
    overlay.put((b"d", b"x"), b"1")
    assert overlay.get(b"k") == b"top"
    assert overlay.get((b"c", b"k")) == b"new"
    assert list(overlay.keys(b"", b"c")) == [b"k"]
    assert overlay.delta() == Delta({}, {b"c": {b"k": b"new"}, b"d": {b"x": b"1"}})
    assert overlay.next_key(b"a", b"c") == b"k"
    assert overlay.kill_prefix(b"k", None, b"c") == 1
    assert overlay.get((b"c", b"k")) is None


def test_the_recorder_counts_distinct_keys() -> None:
    recorder = Recorder(MemoryBackend({b"a": b"1"}))
    recorder.get(b"a")
    recorder.get(b"a")
    recorder.put(b"b", b"2")
    recorder.get(b"b")
    recorder.append(b"c", b"x")
    assert recorder.reads == {b"a": 2}
    assert recorder.writes == {b"b": 1, b"c": 1}
    recorder.start()
    assert not recorder.reads and not recorder.writes
