"""The provider's policy file: commented TOML beside the data, read strictly (unknown keys are errors)."""

import tomllib
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from client.dataset_file import DatasetFile
from client.errors import InputError
from executor.readers import dtype_named, parse_shapes
from primitives import ss58
from primitives.data import GivenWeights, Loss, Metric, OptimizerKind, Policy, Tariff, Windows, WithoutDp
from primitives.spec import float_bits

UNIT = 10**12
"""Smallest units of one GRIST."""
FILE_NAME = "provider.toml"
DAY_MS = 24 * 3600 * 1000
EXACT = Context(prec=100)
"""Amounts have up to 39 digits; the usual context would round to 28."""

TEMPLATE = """\
# What this provider rents out, to whom, and at what price. Lines are read strictly: unknown names are errors.

account = {account}             # a key of your keyring (gristmill key generate), or //Alice on a dev chain
node = "http://127.0.0.1:9944"

[dataset]
# .csv, .npz, .parquet, or a folder of image folders; the rows never leave this machine
file = {file}
# fill = "0"                    # what an empty cell counts as; without it, a missing value is refused
# rows_per_chunk = 64

[dataset.shapes]                # another shape of one row's value, same number of elements
{shapes}
[dataset.dtypes]                # another type than the reader would choose
# label = "u8"

[dataset.classes]               # class names whose places a text column's values become
# label = ["cat", "dog"]

[policy]
# Who may train WITHOUT differential privacy. Weights trained without it may memorise single rows, and a
# skilled buyer may read them out again. "never", "anyone", or a list of addresses.
without_dp = {without_dp}
# Who may start from weights of their own, which can be built to carry rows out: "never", "under_dp", or
# addresses.
given_weights = "under_dp"
rho_budget = 1.0                # privacy budget (zCDP rho) over the dataset's life, for jobs under DP:
                                # 1.0 means epsilon = 7.8 at delta = 10^-5, 0.1 means 2.3
sigma_min = 1.0                 # least noise multiplier under DP
min_rows = 1                    # refuse to train on fewer rows
params_per_row = 100.0          # most trainable parameters a row: fewer parameters can carry less away
losses = [{losses}]
optimizers = [{optimizers}]
rate_min = 1e-6                 # learning rates outside are refused
rate_max = 10.0
epochs_max = 1000
metrics = []                    # what a receipt may tell of your rows: "FirstEpochLoss", "LastEpochLoss"

[tariff]                        # in GRIST
base = "0.1"                    # every job
per_gwork = "0.01"              # per 10^9 units of work
per_rho = "0"                   # per unit of rho

[windows]                       # seconds that a step may take
accept = 600
result = 3600
confirm = 86400

[limits]                        # of one run on this machine
memory_mib = 1024
deadline = 600                  # seconds
max_gwork = 100000.0            # refuse jobs of more work
keep_results = 7                # days that a result stays on chain for its buyer; then its deposit comes back
"""


@dataclass(frozen=True)
class RunLimits:
    """What one run may use here (bytes, seconds, units of work), and how long its result is kept (ms)."""

    memory: int
    deadline: float
    max_work: int
    keep_results_ms: int


@dataclass(frozen=True)
class ProviderFile:
    """A policy file, read."""

    account: str
    node: str
    dataset: DatasetFile
    policy: Policy
    tariff: Tariff
    windows: Windows
    limits: RunLimits


def template(account: str, file: Path, shapes: list[str], without_dp: str | list[str]) -> str:
    """The text of a fresh policy file. `shapes` are options like `pixels=1,8,8`."""
    lines = [
        f"{_quote(name)} = [{', '.join(map(str, shape))}]\n" for name, shape in parse_shapes(shapes).items()
    ]
    return TEMPLATE.format(
        account=_quote(account),
        file=_quote(str(file)),
        shapes="".join(lines) or "# pixels = [1, 8, 8]\n",
        losses=", ".join(_quote(loss.name) for loss in Loss),
        optimizers=", ".join(_quote(kind.name) for kind in OptimizerKind),
        without_dp=_quote(without_dp)
        if isinstance(without_dp, str)
        else f"[{', '.join(map(_quote, without_dp))}]",
    )


def read_provider_file(directory: Path) -> ProviderFile:
    """Read and check a data directory's `provider.toml`. InputError BadPolicyFile names the key."""
    path = directory / FILE_NAME
    try:
        root = _Section(path, "", tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError("NoPolicyFile", f"there is no {path}; make one: gristmill provider init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("BadPolicyFile", f"{path} is no TOML: {error}") from None
    found = ProviderFile(
        account=root.take("account", str),
        node=root.take("node", str, "http://127.0.0.1:9944"),
        dataset=_dataset(root.section("dataset"), directory),
        policy=_policy(root.section("policy")),
        tariff=_tariff(root.section("tariff")),
        windows=_windows(root.section("windows")),
        limits=_limits(root.section("limits")),
    )
    root.done()
    return found


class _Section:
    """A TOML table whose keys are all taken, or complained about."""

    def __init__(self, path: Path, name: str, values: dict[str, Any]) -> None:
        self.path, self.name, self.values = path, name, dict(values)

    def error(self, key: str, message: str) -> InputError:
        where = f"{self.name}.{key}" if self.name else key
        return InputError("BadPolicyFile", f"{self.path}: {where} {message}")

    def take(self, key: str, kind: type[Any] | tuple[type[Any], ...], default: Any = ...) -> Any:
        value = self.values.pop(key, default)
        if value is ...:
            raise self.error(key, "is missing")
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.error(key, "has a value of the wrong type")
        return value

    def number(self, key: str, scale: int, most: int) -> int:
        """A non-negative number times `scale`, exactly, at most `most`."""
        value = self.take(key, (int, float, str))
        try:
            scaled = EXACT.multiply(Decimal(str(value)), scale)
            exact = scaled.is_finite() and scaled == scaled.to_integral_value() and 0 <= scaled <= most
        except ArithmeticError:
            exact = False
        if not exact:
            raise self.error(
                key, f"is no number between 0 and {Decimal(most) / scale} with steps of 1/{scale}"
            )
        return int(scaled)

    def section(self, key: str) -> "_Section":
        name = f"{self.name}.{key}" if self.name else key
        return _Section(self.path, name, self.take(key, dict, {}))

    def done(self) -> None:
        for key in self.values:
            raise self.error(key, "is not a name that this file can have")


def _dataset(section: _Section, directory: Path) -> DatasetFile:
    shapes, dtypes, classes = (section.section(name) for name in ("shapes", "dtypes", "classes"))
    try:
        found = DatasetFile(
            path=directory / section.take("file", str),
            shapes={key: tuple(int(size) for size in shapes.take(key, list)) for key in list(shapes.values)},
            dtypes={key: dtype_named(dtypes.take(key, str)) for key in list(dtypes.values)},
            fill=section.take("fill", str, None),
            classes={key: _names(classes, key) for key in list(classes.values)},
            rows_per_chunk=section.take("rows_per_chunk", int, None),
        )
    except (TypeError, ValueError):
        raise section.error("shapes", "has a shape that is no list of whole numbers") from None
    section.done()
    return found


def _names(section: _Section, key: str) -> tuple[str, ...]:
    names = section.take(key, list)
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise section.error(key, "is a list of class names, each once")
    return tuple(names)


def _policy(section: _Section) -> Policy:
    found = Policy(
        without_dp=_who(
            section, "without_dp", {"never": WithoutDp.Never(), "anyone": WithoutDp.Anyone()}, WithoutDp
        ),
        given_weights=_who(
            section,
            "given_weights",
            {"never": GivenWeights.Never(), "under_dp": GivenWeights.UnderDp()},
            GivenWeights,
        ),
        rho_budget=section.number("rho_budget", 10**9, 2**64 - 1),
        sigma_min_milli=section.number("sigma_min", 1000, 2**32 - 1),
        min_rows=section.number("min_rows", 1, 2**32 - 1),
        params_per_row_milli=section.number("params_per_row", 1000, 2**32 - 1),
        losses=_menu(section, "losses", Loss),
        optimizers=_menu(section, "optimizers", OptimizerKind),
        rate_min=_rate(section, "rate_min"),
        rate_max=_rate(section, "rate_max"),
        epochs_max=section.number("epochs_max", 1, 2**16 - 1),
        metrics=_menu(section, "metrics", Metric),
    )
    section.done()
    return found


def _who(section: _Section, key: str, words: dict[str, Any], kind: Any) -> Any:
    value = section.take(key, (str, list))
    if isinstance(value, str):
        if value not in words:
            raise section.error(key, f"is one of {', '.join(words)}, or a list of addresses")
        return words[value]
    try:
        return kind.Trusted(accounts=[ss58.decode(address)[0] for address in value])
    except (ValueError, TypeError):
        raise section.error(key, "holds something that is no address") from None


def _menu(section: _Section, key: str, kind: Any) -> list[Any]:
    names = section.take(key, list)
    unknown = [name for name in names if name not in kind.__members__]
    if unknown or len(set(names)) != len(names):
        raise section.error(key, f"lists some of {', '.join(kind.__members__)}, each once")
    return [kind[name] for name in names]


def _rate(section: _Section, key: str) -> int:
    value = section.take(key, (int, float))
    try:
        bits = float_bits(float(value))
    except OverflowError:
        bits = 0
    if not 0 < bits < 0x7F80_0000:
        raise section.error(key, "is no positive number")
    return bits


def _tariff(section: _Section) -> Tariff:
    found = Tariff(
        base=section.number("base", UNIT, 2**127),
        per_gwork=section.number("per_gwork", UNIT, 2**127),
        per_rho=section.number("per_rho", UNIT, 2**127),
    )
    section.done()
    return found


def _windows(section: _Section) -> Windows:
    found = Windows(
        accept_ms=section.number("accept", 1000, 2**62),
        result_ms=section.number("result", 1000, 2**62),
        confirm_ms=section.number("confirm", 1000, 2**62),
    )
    section.done()
    return found


def _limits(section: _Section) -> RunLimits:
    found = RunLimits(
        memory=section.number("memory_mib", 2**20, 2**32),
        deadline=section.number("deadline", 1000, 2**40) / 1000,
        max_work=section.number("max_gwork", 10**9, 2**63),
        keep_results_ms=section.number("keep_results", DAY_MS, 2**62),
    )
    section.done()
    return found


def _quote(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
