"""Values that stay decoded in the overlay: bytes and layers as if each had been encoded at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from frame.accounts import NO_DATA, AccountInfo
from frame.backend import Delta, MemoryBackend
from frame.codecs import range_check
from frame.state import ABSENT, PLAIN, Overlay
from primitives.scale import U32, Codec, CompactU64, Struct, codec


class Number(Struct):
    """Stands in the view without a tuple around it."""

    n: U32


_U32, _NUMBER = codec(U32), codec(Number)
PLAIN[Number] = _NUMBER.encode
KEYS = [b"a", b"b", b"c"]
STEP = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), st.one_of(st.none(), st.integers(0, 2**32 - 1))),
    st.tuples(st.just("write"), st.sampled_from(KEYS), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("get"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("read"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.sampled_from(["begin", "commit", "rollback", "block"]), st.none(), st.none()),
    st.tuples(st.just("append"), st.none(), st.integers(0, 255)),
    st.tuples(st.sampled_from(["put", "read"]), st.sampled_from([b"count", b"list"]), st.none()),
)


@given(st.lists(STEP, max_size=60), st.booleans(), st.integers(0, 6))
def test_decoded_and_raw_values_are_one_state(
    steps: list[tuple[str, Any, Any]], structs: bool, most: int
) -> None:
    values: Codec[Any] = _NUMBER if structs else _U32
    backend = MemoryBackend({b"a": _U32.encode(7)})
    overlay, follower = Overlay(backend), Overlay(backend)
    append = overlay.counting_appender(b"list", b"count", _U32.encode, b"prefix", lambda: b"")
    model: list[dict[bytes, int | None]] = [{b"a": 7}]
    lists: list[tuple[bytes | None, bytes | None]] = [(None, None)]
    for what, key, value in steps:
        match what:
            case "block" if len(model) == 1:
                backend = backend.after(overlay.delta())
                follower.follow(overlay, backend, most)
                overlay.rebase(backend, most)
                for known in (*KEYS, b"list", b"count"):
                    assert follower.get(known) == overlay.get(known) == backend.get(known)
            case "append":
                append(bytes((value,)))
                items = (lists[-1][0] or b"") + bytes((value,))
                lists[-1] = (items, _U32.encode(len(items)))
            case "put" if key in (b"list", b"count"):
                overlay.put(key, value)
                lists[-1] = (None, lists[-1][1]) if key == b"list" else (lists[-1][0], None)
            case "read" if key in (b"list", b"count"):
                overlay.read(b"count", _U32.decode, _U32.encode)
            case "put":
                overlay.put(key, None if value is None else _U32.encode(value))
                model[-1][key] = value
            case "write":
                overlay.write(key, Number(n=value) if structs else value, values.encode)
                model[-1][key] = value
            case "get":
                expected = model[-1].get(key)
                assert overlay.get(key) == (None if expected is None else _U32.encode(expected))
            case "read":
                expected = model[-1].get(key)
                found = overlay.read(key, values.decode, values.encode)
                if structs and expected is not None:
                    found = found.n
                assert found == (ABSENT if expected is None else expected)
            case "begin":
                overlay.begin()
                model.append(dict(model[-1]))
                lists.append(lists[-1])
            case "commit" if len(model) > 1:
                overlay.commit()
                top = model.pop()
                model[-1] = top
                lists[-2:] = [lists[-1]]
            case "rollback" if len(model) > 1:
                overlay.rollback()
                model.pop()
                lists.pop()
        listed = lists[-1][0]
        expected_list = None if listed is None else bytes((len(listed) << 2,)) + listed
        assert (overlay.get(b"list"), overlay.get(b"count")) == (expected_list, lists[-1][1])
    while len(model) > 1:
        overlay.commit()
        top = model.pop()
        model[-1] = top
    if lists[-1][0] is not None:
        overlay.put(b"list", None)
    overlay.put(b"count", None)
    after = backend.after(overlay.delta()).top
    assert after == {key: _U32.encode(value) for key, value in model[0].items() if value is not None}


def test_of_too_many_values_those_stay_that_were_written_last() -> None:
    backend = MemoryBackend({bytes((n,)): b"old" for n in range(10)})
    overlay, follower = Overlay(backend), Overlay(backend)
    for reader in (overlay, follower):
        for n in range(10):
            assert reader.get(bytes((n,))) == b"old"
    overlay.put(b"\3", b"new")
    backend = backend.after(overlay.delta())
    follower.follow(overlay, backend, 9)
    overlay.rebase(backend, 9)
    assert overlay.view == follower.view == {b"\3": b"new"}
    assert overlay.get(b"\4") == follower.get(b"\4") == b"old"


def test_a_counted_list_is_a_list_and_its_count() -> None:
    overlay = Overlay(MemoryBackend())
    append = overlay.counting_appender(b"list", b"count", _U32.encode, b"prefix", lambda: b"")
    append(b"x")
    overlay.begin()
    append(b"y")
    assert overlay.get(b"count") == _U32.encode(2) and overlay.get(b"list") == b"\x08xy"
    overlay.rollback()
    append(b"z")
    assert overlay.delta() == Delta({b"count": _U32.encode(2), b"list": b"\x08xz"})


class Pair(Struct):
    small: U32
    large: CompactU64


def test_what_the_range_check_lets_pass_can_be_encoded() -> None:
    fits = range_check(codec(Pair))
    assert fits is not None
    for good in (Pair(small=0, large=2**64 - 1), Pair(small=2**32 - 1, large=0)):
        assert fits(good) and codec(Pair).decode(codec(Pair).encode(good)) == good
    for bad in (Pair(small=-1, large=0), Pair(small=2**32, large=0), Pair(small=0, large=2**64), 5, None):
        assert not fits(bad)
    for no_integer in (0.5, "1", None):
        assert not fits(Pair(small=no_integer, large=0))  # type: ignore[arg-type]
    account = AccountInfo(nonce=1, consumers=0, providers=1, sufficients=0, data=NO_DATA)
    check = range_check(codec(AccountInfo))
    assert check is not None and check(account) and not check(NO_DATA)
    assert range_check(codec(str)) is None
