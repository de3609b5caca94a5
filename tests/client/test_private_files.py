"""Keyring, secrets, journal, ledger and policy file: what a crash, a stranger or a typing error may do."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from client.errors import InputError
from client.files import read_private, write_atomically
from client.journal import Journal
from client.keyring import Keyring, default_path, encryption_secret
from client.ledger import Ledger
from client.provider_file import read_provider_file, template
from client.provider_secret import Lock, Secret, create_secret, read_secret
from primitives.data import GivenWeights, WithoutDp
from primitives.keys import Scheme, generate_mnemonic
from primitives.sealing import public_key
from primitives.spec import bits_float

GENESIS = b"g" * 32


def name_of(error: pytest.ExceptionInfo[InputError]) -> str:
    return error.value.name


# --- keyring


def test_a_key_is_kept_privately_and_found_again(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "deep" / "keyring.json")
    made = keyring.add("me", generate_mnemonic())
    assert keyring.path.stat().st_mode & 0o777 == 0o600
    again = Keyring(keyring.path).get("me")
    assert again.keypair.address == made.keypair.address
    assert again.seal_public == made.seal_public == public_key(made.seal_secret)
    assert made.seal_secret.hex() not in repr(made) and "secret" not in repr(made).lower()


def test_all_schemes_are_kept(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "k.json")
    keyring.add("ed", "//Alice", Scheme.ED25519)
    keyring.add("sr", "//Alice", Scheme.SR25519)
    keyring.add("ec", "//Alice", Scheme.ECDSA)
    assert keyring.names() == ["ec", "ed", "sr"]
    assert len({keyring.get(name).keypair.account_id for name in keyring.names()}) == 3


def test_a_key_that_is_added_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = tmp_path / "k.json", Keyring._read
    other = threading.Thread(target=lambda: Keyring(path).add("other", "//Other"))

    def read_and_dawdle(keyring: Keyring) -> dict[str, Mapping[str, Any]]:
        keys = read(keyring)
        if threading.current_thread() is not other:
            other.start()
            other.join(timeout=0.5)  # it waits for us; without a lock it is done, and what it wrote is lost
        return keys

    monkeypatch.setattr(Keyring, "_read", read_and_dawdle)
    Keyring(path).add("one", "//One")
    other.join()
    monkeypatch.undo()
    assert Keyring(path).names() == ["one", "other"]
    assert [file.stat().st_mode & 0o777 for file in tmp_path.iterdir()] == [0o600, 0o600]  # the lock too


def test_the_environment_says_where_the_keyring_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_KEYRING", str(tmp_path / "there.json"))
    assert default_path() == tmp_path / "there.json"


def test_a_keyring_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "k.json")
    keyring.add("me", "//Me")
    keyring.path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600") as error:
        keyring.get("me")
    assert name_of(error) == "SecretExposed"


def test_wrong_names_and_secrets(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "k.json")
    keyring.add("me", "//Me")
    for name, secret, wanted in (
        ("me", "//Other", "KeyExists"),
        ("", "//Me", "BadName"),
        ("//x", "//Me", "BadName"),
        ("new", "these are no words of any list", "BadSecret"),
    ):
        with pytest.raises(InputError) as error:
            keyring.add(name, secret)
        assert name_of(error) == wanted
        assert secret not in str(error.value) or secret == "//Me"
    with pytest.raises(InputError) as error:
        keyring.get("nobody")
    assert name_of(error) == "NoSuchKey"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {"a": 1}}',
        '{"keys": {"a": {"scheme": "rsa", "secret": ""}}}',
    ],
)
def test_a_file_that_is_no_keyring(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k.json"
    write_atomically(path, text.encode())
    with pytest.raises(InputError) as error:
        Keyring(path).get("a")
    assert name_of(error) in {"BadKeyring", "NoSuchKey"}


def test_encryption_keys_follow_from_the_secret() -> None:
    assert encryption_secret("//Alice") == encryption_secret("//Alice") != encryption_secret("//Bob")


# --- files


def test_private_files_are_bounded_and_missing_ones_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_private(tmp_path / "none")
    assert name_of(error) == "SecretMissing"
    write_atomically(tmp_path / "big", bytes((1 << 20) + 1))
    with pytest.raises(InputError) as error:
        read_private(tmp_path / "big")
    assert name_of(error) == "SecretTooLarge"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_daemon_per_directory(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    with pytest.raises(InputError) as error:
        Lock(tmp_path)
    assert name_of(error) == "AlreadyRunning"
    lock.release()
    Lock(tmp_path).release()


def test_the_daemon_secret(tmp_path: Path) -> None:
    secret = create_secret(tmp_path)
    assert read_secret(tmp_path) == secret
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError) as error:
        create_secret(tmp_path)
    assert name_of(error) == "SecretExists"
    write_atomically(tmp_path / "secret", b"zz\n")
    with pytest.raises(InputError) as error:
        read_secret(tmp_path)
    assert name_of(error) == "BadSecret"


def test_noise_keys_are_the_same_at_a_retry_and_different_otherwise() -> None:
    secret = Secret(bytes(32))
    keys = {secret.noise(g, job) for g in (GENESIS, bytes(32)) for job in range(20)}
    assert len(keys) == 40
    assert (
        secret.noise(GENESIS, 3)
        == Secret(bytes(32)).noise(GENESIS, 3)
        != Secret(b"\1" * 32).noise(GENESIS, 3)
    )
    assert secret.key.hex() not in repr(secret) and repr(secret) == "Secret()"


# --- journal


def test_the_journal_survives(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.record(1, "accepting")
    journal.record(1, "sealed", sealed_hash="aa")
    journal.record(1, "sealed", sealed_hash="bb")
    again = Journal(tmp_path / "journal.jsonl")
    assert again.entries == journal.entries
    found = again.find(1, "sealed")
    assert found is not None and found.details == {"sealed_hash": "bb"}
    assert again.find(2, "sealed") is None


@pytest.mark.parametrize("kept", range(0, 30, 7))
def test_a_line_cut_by_a_crash_is_dropped(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.record(1, "accepting")
    whole = path.read_bytes()
    journal.record(1, "training")
    path.write_bytes(path.read_bytes()[: len(whole) + kept])
    again = Journal(path)
    assert [entry.step for entry in again.entries] == ["accepting"]
    again.record(1, "training")
    assert [entry.step for entry in Journal(path).entries] == ["accepting", "training"]


def test_a_whole_line_of_nonsense_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"nonsense\n")
    with pytest.raises(InputError) as error:
        Journal(path)
    assert name_of(error) == "BadJournal"


# --- ledger

ROWS = [bytes([i]) * 20 for i in range(50)]


def test_the_same_rows_are_never_registered_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", b"k" * 32)
    ledger.claim(b"1" * 32, ROWS[:30], GENESIS)
    ledger.claim(b"1" * 32, ROWS[:30], GENESIS)
    for rows in (ROWS[:30], list(reversed(ROWS[:30])), ROWS[29:], [*ROWS[30:], ROWS[0]]):
        with pytest.raises(InputError) as error:
            Ledger(tmp_path / "ledger", b"k" * 32).claim(b"2" * 32, rows, GENESIS)
        assert name_of(error) == "RowsAlreadyRegistered"
    ledger.claim(b"2" * 32, ROWS[30:], GENESIS)


def test_another_chain_would_be_a_second_budget(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", b"k" * 32)
    ledger.claim(b"1" * 32, ROWS, GENESIS)
    with pytest.raises(InputError) as error:
        ledger.claim(b"1" * 32, ROWS, bytes(32))
    assert name_of(error) == "RowsOnAnotherChain"


def test_the_ledger_holds_no_rows_and_no_guessable_hashes(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "a", b"k" * 32), Ledger(tmp_path / "b", b"j" * 32)
    one.claim(b"1" * 32, ROWS, GENESIS)
    other.claim(b"1" * 32, ROWS, GENESIS)
    first, second = (next((tmp_path / name).glob("*.marks")).read_bytes() for name in "ab")
    assert len(first) == 8 * len(ROWS) and first != second
    assert not any(row in first for row in ROWS)


# --- policy file


def write_policy(directory: Path, *replacements: tuple[str, str]) -> None:
    text = template("//Alice", directory / "rows.csv", ["pixels=1,8,8"], "anyone")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (directory / "provider.toml").write_text(text)


def test_the_template_reads_back(tmp_path: Path) -> None:
    write_policy(tmp_path)
    found = read_provider_file(tmp_path)
    assert found.account == "//Alice"
    assert found.dataset.shapes == {"pixels": (1, 8, 8)}
    assert isinstance(found.policy.without_dp, WithoutDp.Anyone)
    assert isinstance(found.policy.given_weights, GivenWeights.UnderDp)
    assert found.tariff.base == 10**11 and found.tariff.per_gwork == 10**10
    assert found.windows.accept_ms == 600_000
    assert bits_float(found.policy.rate_max) == 10.0
    assert found.policy.metrics == []


def test_trusted_buyers_are_addresses(tmp_path: Path) -> None:
    alice = Keyring(tmp_path / "none").get("//Alice").keypair
    write_policy(tmp_path, ('without_dp = "anyone"', f'without_dp = ["{alice.address}"]'))
    rule = read_provider_file(tmp_path).policy.without_dp
    assert isinstance(rule, WithoutDp.Trusted) and rule.accounts == [alice.account_id]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('account = "//Alice"', "", "account is missing"),
        ('without_dp = "anyone"', 'without_dp = "everyone"', "policy.without_dp"),
        ('without_dp = "anyone"', 'without_dp = ["nobody"]', "policy.without_dp"),
        ("epochs_max = 1000", "epochs_max = 70000", "policy.epochs_max"),
        ("epochs_max = 1000", "epochs_max = true", "policy.epochs_max"),
        ("epochs_max = 1000", "epochs_most = 1000", "policy.epochs_max is missing"),
        ("min_rows = 1 ", "surprise = 1\nmin_rows = 1 ", "policy.surprise is not a name"),
        ('base = "0.1"', 'base = "-1"', "tariff.base"),
        ('base = "0.1"', 'base = "0.0000000000001"', "tariff.base"),
        ('base = "0.1"', 'base = "NaN"', "tariff.base"),
        ("rate_max = 10.0", "rate_max = 1e60", "policy.rate_max"),
        ("rate_max = 10.0", "rate_max = nan", "policy.rate_max"),
        ('losses = ["CrossEntropy"', 'losses = ["Hinge"', "policy.losses"),
        ("[tariff]", "[tarif]", "tariff.base is missing"),
        ('"pixels" = [1, 8, 8]', '"pixels" = ["a"]', "shapes"),
        ("[policy]", "[policy", "no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    write_policy(tmp_path, (old, new))
    with pytest.raises(InputError) as error:
        read_provider_file(tmp_path)
    assert name_of(error) == "BadPolicyFile"
    assert said in str(error.value)


def test_no_policy_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="provider init"):
        read_provider_file(tmp_path)


def test_paths_with_quotes_are_written_safely(tmp_path: Path) -> None:
    text = template("a", Path('/x/"y"\\z.csv'), [], ["x"])
    assert json.dumps('/x/"y"\\z.csv') in text
