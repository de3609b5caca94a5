"""Reading a runtime's version out of `:code`, also out of damaged and hostile bytes."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from chain_spec import ChainSpecError, CodeMalformed, StateVersionUnread
from chain_spec.code import MAX_CODE, ZSTD_PREFIX, code_version, custom_sections, decompressed
from frame.manifest import runtime_manifest
from frame.version import RuntimeVersion


def version(system_version: int) -> bytes:
    return RuntimeVersion(
        spec_name="test-chain",
        impl_name="test",
        authoring_version=1,
        spec_version=1234,
        impl_version=2,
        apis=[(bytes(8), 5)],
        transaction_version=3,
        system_version=system_version,
    ).encode()


def module(system_version: int = 1) -> bytes:
    return runtime_manifest(version(system_version), [(bytes(8), 5)])


def test_the_manifest_is_read_back() -> None:
    found = code_version(module())
    assert (found.spec_name, found.spec_version, found.system_version) == ("test-chain", 1234, 1)
    assert dict(custom_sections(module())) == {
        b"runtime_version": version(1),
        b"runtime_apis": bytes(8) + b"\x05\0\0\0",
    }


@pytest.mark.parametrize(("system_version", "state_version"), [(0, 0), (1, 1), (2, 1)])
def test_state_versions(system_version: int, state_version: int) -> None:
    assert code_version(module(system_version)).state_version == state_version


def test_compressed_code() -> None:
    squeezed = ZSTD_PREFIX + zstandard.ZstdCompressor().compress(module())
    assert decompressed(squeezed) == module()
    assert code_version(squeezed).spec_version == 1234


@pytest.mark.parametrize("cut", [1, 5])
def test_versions_from_before_the_last_fields(cut: int) -> None:
    """Old runtimes end before the state version, older ones before the transaction version."""
    assert code_version(runtime_manifest(version(1)[:-cut], [])).state_version == 0


def test_a_decompression_bomb_is_refused() -> None:
    compressor = zstandard.ZstdCompressor(level=19).compressobj()
    bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(MAX_CODE // (1 << 20) + 2))
    bomb += compressor.flush()
    assert len(bomb) < 100_000
    with pytest.raises(CodeMalformed, match="more than"):
        code_version(ZSTD_PREFIX + bomb)


def test_a_frame_that_asks_for_too_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, write_content_size=False)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(CodeMalformed, match="cannot be read"):
        code_version(ZSTD_PREFIX + frame.compress(module()) + frame.flush())


@pytest.mark.parametrize(
    ("code", "error", "why"),
    [
        (b"", CodeMalformed, "not a WebAssembly module"),
        (b"\x7fELF", CodeMalformed, "not a WebAssembly module"),
        (ZSTD_PREFIX + b"junk", CodeMalformed, "cannot be read"),
        (b"\0asm\x01\0\0\0", StateVersionUnread, "--state-version"),
        (b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\x0f", CodeMalformed, "ends inside a section"),
        (b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\xff\x0f", CodeMalformed, "damaged length"),
        (b"\0asm\x01\0\0\0\x00\x02\x05a", CodeMalformed, "name longer"),
        (runtime_manifest(b"\x03\xff\xff\xff\xff", []), CodeMalformed, "too large a length"),
        (runtime_manifest(version(1)[:9], []), CodeMalformed, "cut off"),
    ],
)
def test_damaged_code(code: bytes, error: type[ChainSpecError], why: str) -> None:
    with pytest.raises(error, match=why):
        code_version(code)


@given(st.binary(max_size=60), st.integers(0, 160))
def test_any_bytes_are_read_or_refused_by_name(junk: bytes, at: int) -> None:
    code = module()
    for bytes_ in (
        junk,
        b"\0asm\x01\0\0\0" + junk,
        code[:at] + junk + code[at + len(junk) :],
        ZSTD_PREFIX + junk,
    ):
        try:
            code_version(bytes_)
        except ChainSpecError:
            continue
