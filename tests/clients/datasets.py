"""A registration that the chain accepts, in plain JSON: what a client that knows only the metadata has to
fill in.
"""

from __future__ import annotations

from typing import Any

from primitives.sealing import generate_keypair

SOME_REGISTRATION: dict[str, Any] = {
    "kind": "Static",
    "schema": {
        "columns": [
            {"name": "0x" + b"pixels".hex(), "dtype": "U8", "shape": [1, 8, 8]},
            {"name": "0x" + b"label".hex(), "dtype": "U8", "shape": []},
        ],
        "rows_per_chunk": 64,
    },
    "root": "0x" + "5a" * 32,
    "rows": 1437,
    "chunks": 23,
    "seal_pk": "0x" + generate_keypair()[1].hex(),
    "policy": {
        "without_dp": {"Anyone": None},
        "given_weights": {"Never": None},
        "rho_budget": 10**9,
        "sigma_min_milli": 1000,
        "min_rows": 100,
        "params_per_row_milli": 1000_000,
        "losses": ["CrossEntropy"],
        "optimizers": ["Sgd"],
        "rate_min": 0x3727C5AC,
        "rate_max": 0x3F800000,
        "epochs_max": 50,
        "metrics": [],
    },
}


def camel(value: Any) -> Any:
    """The same with field names as JavaScript writes them."""
    if isinstance(value, dict):
        return {_camel(key): camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
