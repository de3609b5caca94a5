"""What happens in the demo, step by step, each by the command that a user would type.

The provider is //Alice, the buyer //Bob, both endowed on the dev chain. The data are the UCI handwritten
digits in `examples/digits`: the provider's rows stay in a private folder, the buyer has test rows of its own.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.demo import leaks
from cli.demo.actors import PACKAGE_ROOT, Actors, DemoError
from cli.demo.recorder import Recorder
from client.chain import Chain
from client.errors import NodeUnreachable
from client.leak_scan import Report
from client.rpc import Rpc
from executor.enclave import Enclave
from executor.evaluate import evaluate
from executor.readers import read_table
from primitives.job import Receipt
from primitives.keys import Keypair
from primitives.scale import decode
from primitives.spec import TrainingSpec

DIGITS = PACKAGE_ROOT / "examples" / "digits"
PROVIDER, BUYER = "//Alice", "//Bob"
SHAPES = {"pixels": (1, 8, 8)}
SCALE = 1 / 16
"""Pixels are 0 … 16."""

SPECS: dict[str, dict[str, str]] = {
    "mlp": {"--rate": "0.1", "--schedule": "cosine", "--momentum": "0.9", "--epochs": "10", "--batch": "32"},
    "cnn": {"--rate": "0.05", "--schedule": "cosine", "--momentum": "0.9", "--epochs": "6", "--batch": "32"},
}
"""How each model is trained. A block's hash decides the first weights, so no two runs are alike: at a
constant rate a run was seen to end at 88.6 %; where the rate sinks to zero, none of 250 ended below 95 %.
"""

Narrate = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One job from order to payment. Amounts in smallest units, `blocks` from step to block number."""

    model: str
    number: int
    rows: int
    test_rows: int
    accuracy_before: float
    accuracy_after: float
    price: int
    fee_burned: int
    buyer_paid: int
    buyer_fees: int
    provider_received: int
    fuel_quoted: int
    fuel_used: int
    imports: int
    module_known: bool
    unconfined: tuple[str, ...]
    weights_hash: str
    receipt: Receipt
    state: str
    blocks: dict[str, int]
    leaks: Report


@dataclass(frozen=True)
class Story:
    """All jobs of one demo, and how long it took."""

    jobs: list[Job]
    seconds: float
    kept: Path | None


@dataclass(frozen=True)
class Stage:
    """Where the demo plays."""

    home: Path
    actors: Actors
    url: str
    chain: Chain
    dataset: int
    rows: int


@dataclass(frozen=True)
class Traded:
    """What the commands of one job said."""

    number: int
    submitted: dict[str, Any]
    fetched: dict[str, Any]
    files: Path


def play(models: list[str], keep: Path | None, narrate: Narrate, actors: type[Actors] = Actors) -> Story:
    """Play the story for each model. Raises DemoError; all processes are gone when it returns or raises."""
    begin = time.monotonic()
    if not (DIGITS / "provider.csv").exists():
        raise DemoError(f"the demo's data are not in {DIGITS}; run it from a clone of the repository")
    with _home(keep) as home, _stage(home, narrate, actors) as stage:
        traded = [(model, _trade(stage, model, narrate)) for model in models]
        stage.actors.stop_one("provider")
        narrate("searching everything that left the provider for its rows")
        report = _scan(stage)
        jobs = [_job(stage, model, deal, report) for model, deal in traded]
    return Story(jobs, time.monotonic() - begin, keep)


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    """The demo's folder; a temporary one stays when the demo fails, for its logs."""
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise DemoError(f"{keep} is not empty")
        keep.mkdir(parents=True, exist_ok=True)
    home = (keep or Path(tempfile.mkdtemp(prefix="gristmill-demo-"))).resolve()
    try:
        yield home
    except DemoError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DemoError(f"{text} (logs: {home / 'logs'})") from error
    except BaseException:
        _forget(keep, home)
        raise
    _forget(keep, home)


def _forget(keep: Path | None, home: Path) -> None:
    if keep is None:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _stage(home: Path, narrate: Narrate, kind: type[Actors]) -> Iterator[Stage]:
    """A node, a recorder before it, and a provider that serves its rows."""
    private = home / "private"
    environment = {"GRISTMILL_ORDERS": str(home / "orders"), "GRISTMILL_KEYRING": str(home / "keyring.toml")}
    with kind(home / "logs", environment) as actors:
        narrate("a node makes a new chain (process 1)")
        base = str(home / "chain")
        actors.start("node", "node", "--dev", "--base-path", base, "--rpc-port", "0")  # any that is free
        port = actors.until("node", lambda: actors.port("node"))
        rpc = Rpc(f"http://127.0.0.1:{port}")
        with closing(rpc), Recorder(port, home / "traffic") as recorder:
            chain = Chain(rpc)
            actors.until("node", lambda: _answers(chain))
            narrate("a provider registers its rows of handwritten digits, which stay on its disk (process 2)")
            actors.run("provider-init", *_init(private))
            audit = str(home / "audit")
            serve = ("provider", "run", str(private), "--node", recorder.url, "--audit-dir", audit, "--json")
            actors.start("provider", *serve)
            ready = actors.until("provider", lambda: actors.said("provider"))
            yield Stage(home, actors, recorder.url, chain, ready["dataset"], ready["rows"])


def _init(private: Path) -> tuple[str, ...]:
    rows = str(DIGITS / "provider.csv")
    shape = "pixels=" + ",".join(map(str, SHAPES["pixels"]))
    told = ("--file", rows, "--account", PROVIDER, "--shape", shape, "--without-dp", "anyone", "--json")
    return ("provider", "init", str(private), *told)


def _answers(chain: Chain) -> bool | None:
    try:
        chain.finalized()
    except NodeUnreachable:
        return None
    return True


def _trade(stage: Stage, model: str, narrate: Narrate) -> Traded:
    """The buyer orders, waits, fetches, verifies and pays (process 3)."""
    files = stage.home / "buyer" / model
    files.mkdir(parents=True)
    name = f"buyer-{model}"
    narrate(f"a buyer seals {model}.onnx to the provider, and the price is held (process 3)")
    order = [str(stage.dataset), "--model", str(DIGITS / f"{model}.onnx"), "--target", "label"]
    order += ["--scale", str(SCALE), *(word for pair in SPECS[model].items() for word in pair)]
    common = ("--from", BUYER, "--node", stage.url, "--json")
    submitted = stage.actors.run(f"{name}-submit", "job", "submit", *order, "--wait", *common)
    if submitted["state"] != "Delivered":
        raise DemoError(f"the job ended as {submitted['state']} (logs: {stage.actors.folder})")
    narrate("the model was trained beside the rows; the buyer opens the weights, verifies and pays")
    paths = ("--output", str(files / "weights.onnx"), "--receipt", str(files / "receipt.scale"))
    number = submitted["job"]
    fetched = stage.actors.run(f"{name}-fetch", "job", "fetch", str(number), *paths, *common)
    return Traded(number, submitted, fetched, files)


def _scan(stage: Stage) -> Report:
    source = DIGITS / "provider.csv"
    left = [stage.home / name for name in ("audit", "traffic", "logs", "chain", "buyer", "orders")]
    affines = {"pixels": (0.0, SCALE)}
    return leaks.scan(read_table(source, SHAPES), source, affines, left, leaks.blocks(stage.chain))


def _job(stage: Stage, model: str, deal: Traded, report: Report) -> Job:
    """Everything to be claimed about a job, measured independently of what the commands said where
    possible.
    """
    spec = _kept_spec(stage.home, deal.submitted["spec_hash"])
    original = (DIGITS / f"{model}.onnx").read_bytes()
    test = read_table(DIGITS / "buyer_test.csv", SHAPES)
    receipt = decode(Receipt, (deal.files / "receipt.scale").read_bytes())
    quoted = Enclave().quote(original, spec, stage.rows)
    blocks = _blocks(stage, deal.number)
    settled = blocks["settled"]
    return Job(
        model=model,
        number=deal.number,
        rows=stage.rows,
        test_rows=test.rows,
        accuracy_before=evaluate(original, spec, test.columns).accuracy or 0.0,
        accuracy_after=evaluate((deal.files / "weights.onnx").read_bytes(), spec, test.columns).accuracy
        or 0.0,
        price=deal.submitted["price"],
        fee_burned=deal.submitted["fee"],
        buyer_paid=-_change(stage.chain, BUYER, blocks["submitted"], settled),
        buyer_fees=_fees(stage.chain, BUYER, blocks["submitted"], settled),
        provider_received=_change(stage.chain, PROVIDER, settled, settled),
        fuel_quoted=quoted.work.fuel,
        fuel_used=receipt.fuel,
        imports=quoted.imports,
        module_known=quoted.module_hash == receipt.module_hash,
        unconfined=quoted.unconfined,
        weights_hash=deal.fetched["weights_hash"],
        receipt=receipt,
        state=deal.fetched["state"],
        blocks=blocks,
        leaks=report,
    )


def _kept_spec(home: Path, spec_hash: str) -> TrainingSpec:
    return decode(TrainingSpec, (home / "orders" / f"{spec_hash[2:]}.spec").read_bytes())


def _change(chain: Chain, account: str, first: int, last: int) -> int:
    """How an account's balance, held money included, changed over the blocks `first` … `last`."""
    key = Keypair.from_uri(account).account_id

    def total(number: int) -> int:
        data = chain.value("System", "Account", key, at=chain.block_hash(number))["data"]
        return int(data["free"]) + int(data["reserved"])

    return total(last) - total(first - 1)


def _fees(chain: Chain, account: str, first: int, last: int) -> int:
    """What an account paid for transactions in the blocks `first` … `last`."""
    key = Keypair.from_uri(account).account_id
    hashes = [chain.block_hash(number) for number in range(first, last + 1)]
    events = [event for block in hashes if block for event in chain.events(block)]
    paid = [event.fields for event in events if event.name == "TransactionFeePaid"]
    return sum(int(fields["actual_fee"]) for fields in paid if fields["who"] == key)


STEPS = {
    ("Datasets", "Registered"): "registered",
    ("Market", "Listed"): "listed",
    ("Compute", "Submitted"): "submitted",
    ("Compute", "Accepted"): "accepted",
    ("Compute", "Delivered"): "delivered",
    ("Compute", "Settled"): "settled",
}


def _blocks(stage: Stage, job: int) -> dict[str, int]:
    """The block of each step, found in the chain's own events."""
    found: dict[str, int] = {}
    _, height = stage.chain.finalized()
    for number in range(1, height + 1):
        block = stage.chain.block_hash(number)
        for event in stage.chain.events(block) if block else ():
            step = STEPS.get((event.pallet, event.name))
            if step and (event.pallet != "Compute" or event.fields["job"] == job):
                found.setdefault(step, number)
    missing = set(STEPS.values()) - found.keys()
    if missing:
        raise DemoError(f"the chain has no event for: {', '.join(sorted(missing))}")
    return found
