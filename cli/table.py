"""Every command of `gristmill`: its name, the module whose `COMMANDS` offers it, and its line of help.

The line is repeated from the module so that `gristmill --help` imports nothing; a test keeps the two equal.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command lives."""

    module: str
    help: str


GROUPS: dict[str, dict[str, Entry]] = {
    "see it work": {
        "demo": Entry("cli.demo", "run one whole job: a chain, a provider and a buyer on this machine"),
        "doctor": Entry("cli.doctor", "check that this machine has what gristmill needs"),
    },
    "run a chain": {
        "node": Entry("node.cli", "run a node"),
        "build-spec": Entry("chain_spec.cli", "write a chain spec as JSON, plain or raw"),
        "export-chain-spec": Entry("chain_spec.cli", "write a chain spec to a file"),
        "chain-info": Entry("node.cli", "print a chain's genesis, and the head of its database"),
        "check-block": Entry("node.cli", "execute a block of the database again"),
        "export-blocks": Entry("node.cli", "write blocks to a file, in SCALE or JSON"),
        "import-blocks": Entry("node.cli", "execute and keep the blocks of a file"),
        "revert": Entry("node.cli", "take the newest blocks back"),
        "export-state": Entry("node.cli", "write the state of a block as a raw chain spec"),
        "try-state": Entry("node.cli", "check every invariant of a state"),
        "try-upgrade": Entry("node.cli", "try this program's migrations on a state"),
        "purge-chain": Entry("node.cli", "remove the database of a chain"),
        "benchmark": Entry("node.benchmark.cli", "measure what calls, blocks and the database cost"),
    },
    "offer data": {
        "dataset": Entry("client.cli", "check, publish, list and show datasets"),
        "provider": Entry("client.cli", "serve training jobs beside private data"),
    },
    "train on data": {
        "job": Entry("client.cli", "quote, submit and follow training jobs, fetch their results"),
        "inspect": Entry("executor.inspect", "show the plan and the module that a model would become"),
        "train": Entry("executor.cli", "train an ONNX model in the enclave on this machine, without a chain"),
    },
    "keys": {
        "key": Entry("client.cli", "make and look at keys"),
    },
}

COMMANDS: dict[str, Entry] = {name: entry for group in GROUPS.values() for name, entry in group.items()}
