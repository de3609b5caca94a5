"""The tables of figures in README.md and docs/: written from `results.json`, so that what stands there was
measured. `make bench` writes them anew; `python -m benchmarks.pages` does so alone.

A table stands between the lines `<!-- figures -->` and `<!-- /figures -->` of its page.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->\n"

Results = Mapping[str, Any]
Row = tuple[str, ...]


def main() -> None:
    """Write every table anew."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name in PAGES:
        page = ROOT / name
        page.write_text(written(name, page.read_text(encoding="utf-8"), results), encoding="utf-8")


def written(name: str, text: str, results: Results) -> str:
    """The text of a page with its table as `results` give it. ValueError where it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{name} has no lines {BEGIN.strip()} and {END.strip()}")
    return before + begin + PAGES[name](results) + end + after


MODELS = {
    "mlp": "MLP 64-128-10, batch 32",
    "lenet": "LeNet-5, 28×28, batch 32",
    "resnet": "small ResNet, 3×3, batch 32",
    "lstm": "LSTM 32→64, 32 steps, batch 32",
    "transformer": "transformer, 2 layers of 64, 32 tokens, batch 32",
}

PRIVATE = {"mlp": "MLP, batch 64", "lenet": "LeNet-5, batch 32"}

CORES = {
    "two_cores_vs_one": ("two cores", "one core"),
    "two_copies_vs_one": ("two copies of the job", "one core"),
    "shards_vs_whole": ("one core, batches cut", "batches whole"),
}


def _readme(results: Results) -> str:
    """What a stranger wants to know first."""
    value = _values(results)
    chains = f"ganache {value('peer_ganache_tps'):.0f}, eth-tester {value('peer_eth_tester_tps'):.0f}"
    transfers = f"{value('transfers_per_second_e2e'):,.0f} a second"
    rows = [("transfers: signed, one by one, final on the disk", transfers, f"{chains} (a block each)")]
    for name, said in MODELS.items():
        taken = f"{value(f'{name}_step_us'):,.0f} µs"
        rows.append((f"training step: {said}", taken, f"{value(f'{name}_vs_torch'):.2g} × PyTorch's speed"))
    product = f"{value('gemm_512_gflops'):.0f} GFLOP/s"
    rows.append(("product of 512 × 512 matrices", product, f"{value('gemm_vs_torch'):.2g} × PyTorch's speed"))
    for name, said in PRIVATE.items():
        taken = f"{value(f'dp_{name}_step_us'):,.0f} µs"
        faster = f"{value(f'dp_{name}_vs_opacus_ghost'):.2g} × Opacus' speed"
        rows.append((f"private training step: {said}", taken, faster))
    decoded = value("decode_account_us")
    times = _peer(results, "decode_account_us") / decoded
    rows.append(("decoding an account from SCALE", f"{decoded:.1f} µs", f"{times:.0f} × scalecodec's speed"))
    head = ("", "Gristmill", "others, in the same run")
    return _table(head, rows) + _said(results, "transfers_per_second_e2e")


def _executor(results: Results) -> str:
    """Training steps, products, privacy, cores: ours, the peer's, the ratio of least times and of medians."""
    value = _values(results)
    rows = [
        (
            f"training step: {said}",
            f"{value(f'{name}_step_us'):,.0f} µs",
            f"PyTorch {_peer(results, f'{name}_step_us'):,.0f} µs",
            *_ratios(results, f"{name}_vs_torch"),
        )
        for name, said in MODELS.items()
    ]
    rows += [
        (
            f"{said.split(',')[0]}, forward alone",
            f"{value(f'{name}_forward_us'):,.0f} µs",
            f"onnxruntime {_peer(results, f'{name}_forward_us'):,.0f} µs",
            *_ratios(results, f"{name}_forward_vs_onnxruntime"),
        )
        for name, said in MODELS.items()
        if f"{name}_forward_us" in results
    ]
    rows.append(("MLP, by hand in NumPy", "", "", *_ratios(results, "mlp_vs_numpy")))
    for size, name in ((256, "gemm_256"), (512, "gemm")):
        ours = f"{value(f'gemm_{size}_gflops'):.0f} GFLOP/s"
        for peer, said in (("torch", "PyTorch"), ("numpy", "NumPy"), ("onnxruntime", "onnxruntime")):
            rows.append((f"products, n = {size}", ours, said, *_ratios(results, f"{name}_vs_{peer}")))
    for name, said in PRIVATE.items():
        ours = f"{value(f'dp_{name}_step_us'):,.0f} µs"
        for way in ("ghost", "hooks"):
            ratios = _ratios(results, f"dp_{name}_vs_opacus_{way}")
            rows.append((f"private step, {said}", ours, f"Opacus ({way})", *ratios))
    for name, said in (("", "small ResNet"), ("_lenet", "LeNet-5")):
        for figure, (ours, peer) in CORES.items():
            if figure + name in results:
                rows.append((f"{ours}, {said}, batch 64", "", peer, *_ratios(results, figure + name)))
    return _table(("", "ours", "peer", "peer / ours", "by medians"), rows) + _said(results, "mlp_step_us")


def _node(results: Results) -> str:
    """End to end, by the number of accounts."""
    value = _values(results)
    names = {
        "transfers a second, end to end": "transfers_per_second_e2e",
        "µs of processor time a transfer: node": "e2e_cpu_us_node_process",
        "worker": "e2e_cpu_us_rpc_workers",
        "load client": "e2e_cpu_us_load_client",
        "transfers a block": "transfers_per_block_e2e",
    }
    sizes = ("", "_100k_accounts", "_1m_accounts")
    rows = [(said, *(f"{value(name + size):,.0f}" for size in sizes)) for said, name in names.items()]
    memory = (f"{value(f'rss_mb_{size}_accounts'):.0f}" for size in ("10k", "100k", "1m"))
    rows.append(("memory of the node, MB", *memory))
    one = [
        (f"{value('import_per_second'):,.0f} 1/s", "transfers imported, signatures verified before"),
        (f"{value('pool_admissions_per_second'):,.0f} 1/s", "admissions to the pool"),
        (f"{value('rpc_reads_per_second'):,.0f} 1/s", "reads over RPC, one at a time"),
        (f"{value('rpc_p50_ms'):.2f} and {value('rpc_p99_ms'):.2f} ms", "a read: median and 99th of 100"),
        (f"{value('boot_seconds'):.2f} s", "from start to the first answer"),
        (f"{value('connect_seconds_substrate_interface'):.2f} s", "`substrate-interface` connects"),
        (f"{value('peer_ganache_tps'):.0f} 1/s", "ganache: transfers, a block for each"),
        (f"{value('peer_eth_tester_tps'):.0f} 1/s", "eth-tester: likewise"),
    ]
    accounts = ("accounts", "10,000", "100,000", "a million")
    both = _table(accounts, rows) + "\n" + _table(("", ""), one)
    return both + _said(results, "transfers_per_second_e2e")


def _values(results: Results) -> Callable[[str], float]:
    return lambda name: float(results[name]["value"])


def _peer(results: Results, name: str) -> float:
    return float(results[name]["peer"]["value"])


def _ratios(results: Results, name: str) -> Row:
    figure = results[name]
    return f"{figure['value']:.3g}", f"{figure['by_medians']:.3g}"


def _when(results: Results, name: str) -> str:
    return f"on {results[name]['machine']}, {results[name]['date']}"


def _said(results: Results, name: str) -> str:
    return f"\nMeasured {_when(results, name)}.\n"


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


PAGES: dict[str, Callable[[Results], str]] = {
    "README.md": _readme,
    "docs/performance.md": _node,
    "docs/performance-executor.md": _executor,
}
"""Page → what makes its table."""


if __name__ == "__main__":
    main()
