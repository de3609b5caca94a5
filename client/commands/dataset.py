"""`gristmill dataset`: look at a file as a dataset, publish one, see what others offer."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from client import datasets
from client.commands.provider import explain, provider_of
from client.commands.shared import (
    add_node,
    address,
    chain_of,
    grist,
    hex_of,
    shorter,
    show,
    show_rows,
    verb,
    which,
)
from client.dataset_file import DatasetFile
from executor.cli import configure_reader, reading_of
from primitives.data import GivenWeights, Policy, Schema, Terms, WithoutDp, chunk_count
from primitives.spec import bits_float


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill dataset`."""
    verbs = parser.add_subparsers(required=True, metavar="check | publish | list | show")
    check = verb(verbs, "check", "read a file as a dataset and say what it holds; nothing is sent", _check)
    check.add_argument("file", type=Path, help=".csv, .npz, .parquet, or a folder of image folders")
    configure_reader(check)
    publish = verb(
        verbs, "publish", "register and list a data directory's dataset without serving it", _publish
    )
    publish.add_argument("directory", type=Path, help="made by `gristmill provider init`")
    publish.add_argument("--node", metavar="URL", help="the node (default: as provider.toml says)")
    listing = verb(verbs, "list", "list the datasets on the chain", _list)
    add_node(listing)
    one = verb(verbs, "show", "show a dataset: schema, policy, price", _show)
    one.add_argument("dataset", type=which)
    add_node(one)


def _check(arguments: Namespace) -> int:
    reading = reading_of(arguments)
    file = DatasetFile(arguments.file, reading.shapes, reading.dtypes, reading.fill, reading.classes)
    rows = file.source(None)
    figures = {
        "file": str(arguments.file),
        "rows": rows.rows,
        "columns": _columns(rows.schema),
        "chunks": chunk_count(rows.schema, rows.rows),
        "rows_per_chunk": rows.schema.rows_per_chunk,
        "schema_hash": hex_of(rows.schema.hash),
    }
    return show(arguments, figures)


def _publish(arguments: Namespace) -> int:
    provider = provider_of(arguments, audit=None)
    number = provider.prepare()
    explain(provider.settings.policy)
    return show(
        arguments, {"dataset": number, "root": hex_of(provider.rows.root), "rows": provider.rows.rows}
    )


def _list(arguments: Namespace) -> int:
    chain = chain_of(arguments)
    rows: list[dict[str, Any]] = []
    for number, dataset in datasets.every(chain):
        terms = datasets.listing(chain, number)
        rows.append(
            {
                "dataset": number,
                "rows": dataset.rows,
                "columns": _columns(dataset.schema),
                "state": dataset.state.name,
                "for_rent": terms is not None,
                "base_price": terms.tariff.base if terms else None,
                "owner": address(dataset.owner),
            }
        )
    if not arguments.json:
        rows = [
            {
                **row,
                "base_price": None if row["base_price"] is None else grist(row["base_price"]),
                "owner": shorter(row["owner"]),
            }
            for row in rows
        ]
    return show_rows(arguments, rows, "no datasets on this chain yet")


def _show(arguments: Namespace) -> int:
    chain = chain_of(arguments)
    dataset = datasets.read(chain, arguments.dataset)
    budget = datasets.budget(chain, arguments.dataset)
    figures = {
        "dataset": arguments.dataset,
        "owner": address(dataset.owner),
        "state": dataset.state.name,
        "rows": dataset.rows,
        "columns": _columns(dataset.schema),
        "root": hex_of(dataset.root),
        "encryption_key": hex_of(dataset.seal_pk),
        **_policy(dataset.policy),
        "rho_reserved_nano": budget.reserved,
        "rho_spent_nano": budget.spent,
        **_terms(datasets.listing(chain, arguments.dataset)),
    }
    money: tuple[str, ...] = ("base", "per_gwork", "per_rho")
    shown = {key: grist(figures[key]) for key in money if key in figures}
    return show(arguments, figures, shown)


def _columns(schema: Schema) -> list[str]:
    return [
        f"{column.name.decode(errors='replace')}: {column.dtype.name.lower()}"
        + (f"[{','.join(map(str, column.shape))}]" if column.shape else "")
        for column in schema.columns
    ]


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "without_dp": _who(policy.without_dp),
        "given_weights": _who(policy.given_weights),
        "rho_budget_nano": policy.rho_budget,
        "min_rows": policy.min_rows,
        "params_per_row": policy.params_per_row_milli / 1000,
        "losses": [item.name for item in policy.losses],
        "optimizers": [item.name for item in policy.optimizers],
        "rates": [float(f"{bits_float(bits):.6g}") for bits in (policy.rate_min, policy.rate_max)],
        "epochs_max": policy.epochs_max,
        "metrics": [item.name for item in policy.metrics],
    }


def _who(rule: WithoutDp | GivenWeights) -> str | list[str]:
    if isinstance(rule, (WithoutDp.Trusted, GivenWeights.Trusted)):
        return [address(account) for account in rule.accounts]
    return type(rule).__name__


def _terms(terms: Terms.Rent | None) -> dict[str, Any]:
    if terms is None:
        return {"for_rent": False}
    return {
        "for_rent": True,
        "base": terms.tariff.base,
        "per_gwork": terms.tariff.per_gwork,
        "per_rho": terms.tariff.per_rho,
        "accept_within_s": terms.windows.accept_ms / 1000,
        "result_within_s": terms.windows.result_ms / 1000,
        "confirm_within_s": terms.windows.confirm_ms / 1000,
    }
