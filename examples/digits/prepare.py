"""Makes provider.csv and buyer_test.csv from the copy of the UCI digits inside scikit-learn's wheel.

Run with scikit-learn installed: ``python prepare.py``. Every fifth row goes to the buyer's own test part,
the others to the provider; the order of the source is kept, so the files are the same on every machine.
"""

from pathlib import Path

from sklearn.datasets import load_digits

HERE = Path(__file__).parent


def main() -> None:
    """Write both files beside this script."""
    digits = load_digits()
    header = ",".join([f"pixels[{i}]" for i in range(64)] + ["label"])
    parts: dict[str, list[str]] = {"provider.csv": [header], "buyer_test.csv": [header]}
    for number, (pixels, label) in enumerate(zip(digits.data, digits.target, strict=True)):
        row = ",".join(str(int(value)) for value in (*pixels, label))
        parts["buyer_test.csv" if number % 5 == 4 else "provider.csv"].append(row)
    for name, lines in parts.items():
        (HERE / name).write_text("\n".join(lines) + "\n", encoding="ascii")
        print(f"{name}: {len(lines) - 1} rows")


if __name__ == "__main__":
    main()
