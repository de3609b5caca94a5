"""`gristmill job`: quote, submit and follow training jobs, fetch their results."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from client import buyer, datasets, jobs
from client.chain import Chain, Signer, wait_for
from client.commands.shared import (
    add_from,
    add_node,
    address,
    amount,
    chain_of,
    grist,
    hex_of,
    identity_of,
    moment,
    progress_bar,
    shorter,
    show,
    show_rows,
    spinner,
    verb,
    which,
)
from client.files import write_atomically
from client.keyring import Keyring
from client.verification import read_receipt, run_again
from executor import admission
from executor.advice import of_model
from executor.enclave import Enclave
from executor.model_file import model_file
from executor.options import configure_spec, training_spec
from primitives import job as rules
from primitives.job import JobState, Quote
from primitives.scale import encode
from primitives.spec import TrainingSpec, bits_float

WAIT_S = 3600.0


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill job`."""
    verbs = parser.add_subparsers(
        required=True, metavar="quote | check | submit | list | status | cancel | fetch | verify | reclaim"
    )
    quote = verb(verbs, "quote", "say what a training costs before any run", _quote)
    _configure_order(quote)
    check = verb(
        verbs, "check", "judge an order by the provider's policy before paying; exit 1 if refused", _check
    )
    _configure_order(check)
    check.add_argument("--from", dest="key", metavar="KEY", help="the buyer, whom a policy may trust")
    submit = verb(verbs, "submit", "order a training: the price is held until the result is there", _submit)
    _configure_order(submit)
    add_from(submit)
    submit.add_argument(
        "--max-price", type=amount, metavar="GRIST", help="refuse a higher price (default: as quoted)"
    )
    submit.add_argument("--wait", action="store_true", help="wait until the job is delivered or ended")
    listing = verb(verbs, "list", "list jobs", _list)
    listing.add_argument("--from", dest="key", metavar="KEY", help="only jobs that this key is a party of")
    add_node(listing)
    status = verb(verbs, "status", "show a job", _status)
    status.add_argument("job", type=which)
    add_node(status)
    cancel = verb(verbs, "cancel", "take an order back before it is accepted", _cancel)
    cancel.add_argument("job", type=which)
    add_from(cancel)
    add_node(cancel)
    reclaim = verb(verbs, "reclaim", "take back the deposits of models and results no job needs", _reclaim)
    add_from(reclaim)
    add_node(reclaim)
    fetch = verb(verbs, "fetch", "download, open and verify a result, then confirm it", _fetch)
    fetch.add_argument("job", type=which)
    fetch.add_argument(
        "--output", type=Path, default=Path("weights.onnx"), help="where the trained model goes"
    )
    fetch.add_argument("--receipt", type=Path, metavar="FILE", help="keep the receipt's SCALE bytes too")
    fetch.add_argument("--wait", action="store_true", help="wait for the result")
    fetch.add_argument("--no-confirm", action="store_true", help="do not release the payment yet")
    add_from(fetch)
    add_node(fetch)
    again = verb(
        verbs, "verify", "train a job again and compare with its receipt; exit 1 if it differs", _verify
    )
    again.add_argument("job", type=which)
    again.add_argument("--receipt", type=Path, required=True, metavar="FILE", help="as `job fetch` kept it")
    again.add_argument(
        "--data-dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="the provider's: rows and secret",
    )
    add_node(again)


def _configure_order(parser: ArgumentParser) -> None:
    parser.add_argument("dataset", type=which, help="the dataset's number: gristmill dataset list")
    parser.add_argument("--model", type=Path, required=True, help="ONNX model")
    add_node(parser)
    configure_spec(parser)


def _quote(arguments: Namespace) -> int:
    _, quoted = _order(arguments, chain_of(arguments))
    figures = _quoted(quoted)
    return show(arguments, figures, _for_people(quoted))


def _spec(arguments: Namespace, model: bytes, record: datasets.Dataset) -> TrainingSpec:
    """What the arguments ask for; what is probably not meant is told before anything is paid."""
    spec = training_spec(arguments, model, _columns(record))
    for sentence in of_model(model, spec):
        print(f"note: {sentence}", file=sys.stderr)
    return spec


def _check(arguments: Namespace) -> int:
    """Every rule of the policy, kept or broken. A model that no enclave takes is refused by its error."""
    chain, model = chain_of(arguments), model_file(arguments.model)
    record = datasets.read(chain, arguments.dataset)
    spec = _spec(arguments, model, record)
    quoted = Enclave().quote(model, spec, record.rows, record.schema)
    buyer_id = Keyring().get(arguments.key).keypair.account_id if arguments.key else bytes(32)
    found = admission.findings(record.policy, spec, buyer_id, record.rows, quoted)
    rows = [{"rule": item.rule, "holds": item.holds, "says": item.says} for item in found]
    if not arguments.json:
        rows = [{**row, "holds": "yes" if row["holds"] else "NO"} for row in rows]
    show_rows(arguments, rows, "no rules")
    return 1 if admission.broken(found) else 0


def _submit(arguments: Namespace) -> int:
    chain, identity = chain_of(arguments), identity_of(arguments)
    order, quoted = _order(arguments, chain)
    with progress_bar("putting the sealed model on chain", "pieces") as progress:
        submitted = buyer.submit(chain, identity, order, quoted, arguments.max_price, progress)
    figures = {
        "job": submitted.job,
        **_quoted(quoted),
        "model_blob": hex_of(submitted.model_blob),
        "block": submitted.inclusion.block_number,
        "block_hash": hex_of(submitted.inclusion.block_hash),
    }
    if arguments.wait:
        figures["state"] = _wait(chain, submitted.job).state.name
    return show(arguments, figures, _for_people(quoted))


def _for_people(quoted: Quote) -> dict[str, str]:
    return {
        "price": grist(quoted.price),
        "fee": grist(rules.fee(quoted.price)),
        "expires": moment(quoted.expires),
    }


def _order(arguments: Namespace, chain: Chain) -> tuple[buyer.Order, Quote]:
    model = model_file(arguments.model)
    record = datasets.read(chain, arguments.dataset)
    spec = _spec(arguments, model, record)
    order = buyer.Order(model, spec)
    return order, buyer.quote(chain, arguments.dataset, model, spec)


def _columns(record: datasets.Dataset) -> list[str]:
    return [column.name.decode(errors="replace") for column in record.schema.columns]


def _quoted(quoted: Quote) -> dict[str, Any]:
    return {
        "dataset": quoted.dataset,
        "rows": quoted.rows,
        "price": quoted.price,
        "fee": rules.fee(quoted.price),
        "work": quoted.work,
        "flops": quoted.flops,
        "memory": quoted.memory,
        "fuel": quoted.fuel,
        "rho_nano": quoted.rho,
        "spec_hash": hex_of(quoted.spec_hash),
        "expires": quoted.expires,
    }


def _list(arguments: Namespace) -> int:
    account = Keyring().get(arguments.key).keypair.account_id if arguments.key else None
    rows = [
        {
            "job": number,
            "dataset": job.dataset,
            "state": job.state.name,
            "price": job.price,
            "buyer": address(job.buyer),
            "provider": address(job.provider),
        }
        for number, job in jobs.every(chain_of(arguments))
        if account is None or account in {job.buyer, job.provider}
    ]
    if not arguments.json:
        rows = [
            {
                **row,
                "price": grist(int(str(row["price"]))),
                "buyer": shorter(str(row["buyer"])),
                "provider": shorter(str(row["provider"])),
            }
            for row in rows
        ]
    return show_rows(arguments, rows, "no jobs on this chain yet")


def _status(arguments: Namespace) -> int:
    figures = _figures(arguments.job, jobs.read(chain_of(arguments), arguments.job))
    moments = {key: moment(figures[key]) for key in ("accept_by", "result_by", "confirm_by") if figures[key]}
    money = {key: grist(figures[key]) for key in ("price", "fee", "bond")}
    return show(arguments, figures, {**money, **moments})


def _figures(number: int, job: jobs.Job) -> dict[str, Any]:
    reason = job.reject_reason if job.reject_reason is not None else job.fail_reason
    return {
        "job": number,
        "state": job.state.name,
        "reason": None if reason is None else reason.name,
        "dataset": job.dataset,
        "buyer": address(job.buyer),
        "provider": address(job.provider),
        "price": job.price,
        "fee": job.fee,
        "bond": job.bond,
        "work": job.work,
        "rho_nano": job.rho,
        "spec_hash": hex_of(job.spec_hash),
        "accept_by": job.accept_by or None,
        "result_by": job.result_by or None,
        "confirm_by": job.confirm_by or None,
        "sealed_hash": None if job.sealed_hash is None else hex_of(job.sealed_hash),
        "commitment": None if job.commitment is None else hex_of(job.commitment),
    }


def _cancel(arguments: Namespace) -> int:
    chain = chain_of(arguments)
    inclusion = jobs.cancel(chain, Signer(identity_of(arguments).keypair), arguments.job)
    return show(arguments, {"job": arguments.job, "state": "Cancelled", "block": inclusion.block_number})


def _reclaim(arguments: Namespace) -> int:
    taken = buyer.reclaim(chain_of(arguments), identity_of(arguments))
    figures = {"blobs": len(taken), "deposits": sum(blob.deposit for blob in taken)}
    return show(arguments, figures, {"deposits": grist(figures["deposits"])})


def _fetch(arguments: Namespace) -> int:
    chain, identity = chain_of(arguments), identity_of(arguments)
    if arguments.wait:
        _wait(chain, arguments.job)
    fetched = buyer.fetch(chain, identity, arguments.job)
    write_atomically(arguments.output, fetched.package.weights, private=False)
    receipt = fetched.package.receipt
    if arguments.receipt is not None:
        write_atomically(arguments.receipt, encode(rules.Receipt, receipt), private=False)
    figures: dict[str, Any] = {
        "job": arguments.job,
        "output": str(arguments.output),
        "weights_hash": hex_of(receipt.weights_hash),
        "module_hash": hex_of(receipt.module_hash),
        "steps": receipt.steps,
        "fuel_used": receipt.fuel,
        "metrics": {item.metric.name: bits_float(item.value) for item in receipt.metrics},
        "verified": True,
    }
    job = jobs.read(chain, arguments.job)
    if job.state == JobState.Delivered and not arguments.no_confirm:
        inclusion = jobs.confirm(chain, Signer(identity.keypair), arguments.job)
        figures |= {"paid": job.price, "block": inclusion.block_number}
    figures["state"] = jobs.read(chain, arguments.job).state.name
    return show(arguments, figures, {"paid": grist(job.price)} if "paid" in figures else None)


def _verify(arguments: Namespace) -> int:
    chain, signed = chain_of(arguments), read_receipt(arguments.receipt)
    with spinner("training again"):
        found = run_again(chain, arguments.job, signed, arguments.data_dir)
    differs = {
        name: f"the receipt says {_said(said)}, the run gives {_said(given)}"
        for name, (said, given) in found.items()
    }
    figures = {
        "job": arguments.job,
        "verified": not found,
        "weights_hash": hex_of(signed.weights_hash),
        "steps": signed.steps,
        "differences": differs,
    }
    show(arguments, figures, {"differences": "; ".join(f"{k}: {v}" for k, v in differs.items()) or "none"})
    return 1 if found else 0


def _said(value: object) -> str:
    return hex_of(value) if isinstance(value, bytes) else str(value)


def _wait(chain: Chain, number: int) -> jobs.Job:
    """The job once it is delivered or ended."""

    def done() -> jobs.Job | None:
        job = jobs.read(chain, number)
        return None if job.state in {JobState.Submitted, JobState.Accepted} else job

    with spinner("waiting for the provider"):
        return wait_for(done, WAIT_S, f"the end of job {number}", poll=0.2)
