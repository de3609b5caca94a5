"""Commands typed in haste: each failure is one sentence that says what is wrong with which word, and leaves
nothing behind."""

from pathlib import Path

import pytest

from cli.__main__ import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
TRAIN = ("train", "--model", str(DIGITS / "mlp.onnx"), "--data", str(DIGITS / "provider.csv"))
PROVIDER = ("--file", str(DIGITS / "provider.csv"), "--account", "//Alice")
NOWHERE = ("--node", "ws://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*TRAIN,), 1, "say which column to predict: --target COLUMN"),
        ((*TRAIN, "--target", "label", "--epochs", "0"), 1, "--epochs 0: give a number from 1 to 65535"),
        ((*TRAIN, "--target", "label", "--batch", "5000000000"), 1, "--batch 5000000000: give a number from"),
        ((*TRAIN, "--target", "label", "--shards", "256"), 1, "--shards 256: give a number from 1 to 255"),
        ((*TRAIN, "--target", "label", "--shards", "3"), 1, "a batch of 32 rows has no 3 equal parts"),
        ((*TRAIN, "--target", "label", "--epochs", "1e3"), 2, "argument --epochs: invalid int value: '1e3'"),
        ((*TRAIN, "--target", "label", "--lr", "nan"), 1, "the learning rate is a positive finite number"),
        ((*TRAIN, "--target", "label", "--trainable", "x"), 1, "it has 1.weight, 1.bias, 3.weight, 3.bias"),
        ((*TRAIN, "--target", "label", "--freeze", "*"), 1, "every tensor is frozen"),
        ((*TRAIN, "--target", "label", "--dp", "0"), 1, "are above zero"),
        ((*TRAIN, "--target", "label", "--resume", "gone"), 1, "No such file or directory: gone"),
        (("job", "status", "-1"), 2, "'-1' is no number from 0 to 4294967295"),
        (("job", "status", "4294967296"), 2, "'4294967296' is no number from 0 to 4294967295"),
        (("dataset", "show", "first"), 2, "'first' is no number from 0 to 4294967295"),
        (("dataset", "list", "--url", "ws://host"), 2, "there is no --url: it is --node"),
        (("dataset", "list", *NOWHERE), 1, "no node answers at 127.0.0.1:1"),
        (("job", "status", "0", *NOWHERE), 1, "or name another: --node URL"),
        (("job", "submit", "0", *TRAIN[1:3], "--target", "y"), 2, "required: --from"),
        (("provider", "init", "mill", *PROVIDER), 2, "required: --without-dp"),
        (
            ("provider", "init", "mill", *PROVIDER, "--without-dp", "maybe"),
            2,
            "'maybe' is neither never nor anyone nor an address",
        ),
        (
            ("provider", "init", "mill", "--file", "gone", *PROVIDER[2:], "--without-dp", "never"),
            1,
            "there is no file gone",
        ),
        (
            ("provider", "init", "mill", *PROVIDER[:2], "--account", "me", "--without-dp", "never"),
            1,
            "there is no key 'me'",
        ),
        (("provider", "run", "mill"), 1, "there is no mill/provider.toml; make one: gristmill provider init"),
        (("key", "inspect", "5xyz"), 1, "5xyz is no key in"),
    ],
)
def test_a_sentence_says_what_to_do(
    words: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    try:
        found: object = main(list(words))
    except SystemExit as end:
        found = end.code
    output = capsys.readouterr()
    assert found == code and not output.out
    assert output.err.startswith("error[") and output.err.count("\n") == 1 and said in output.err
    assert list(tmp_path.iterdir()) == []
