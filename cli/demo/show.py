"""The demo for people: a line for each step, and the summary; and the figures for machines."""

import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cli.demo.claims import Claim
from cli.demo.story import Job, Story

UNIT = 10**12
ORDER = ("registered", "listed", "submitted", "accepted", "delivered", "settled")


def narrator(quiet: bool) -> Callable[[str], None]:
    """Prints each step with its time on stderr, or nothing."""
    begin = time.monotonic()

    def narrate(text: str) -> None:
        if not quiet:
            print(f"{time.monotonic() - begin:5.1f} s  {text}", file=sys.stderr, flush=True)

    return narrate


def grist(units: int) -> str:
    """An amount for people, exact."""
    return f"{(Decimal(units) / UNIT).normalize():f} GRIST"


def summary(story: Story, checked: Sequence[Sequence[Claim]]) -> None:
    """What happened, in words and numbers."""
    for job, claims in zip(story.jobs, checked, strict=True):
        print()
        for title, text in _lines(job):
            print(f"  {title:<18}{text}")
        print()
        for claim in claims:
            print(f"  {'yes' if claim.holds else 'NO ':<4}{claim.text}")
    print(f"\n  {story.seconds:.0f} s in all." + (f" Everything is in {story.kept}." if story.kept else ""))


def _lines(job: Job) -> list[tuple[str, str]]:
    receipt, scan = job.receipt, job.leaks
    accuracy = f"{job.accuracy_before:.1%} before, {job.accuracy_after:.1%} after"
    parts = f"price {grist(job.price)}, burned {grist(job.fee_burned)}, transactions {grist(job.buyer_fees)}"
    found = f"{scan.rows_leaked} of {scan.rows_searched:,} searchable rows found"
    lines = [
        ("model", f"{job.model}.onnx, trained on {job.rows:,} private rows in {receipt.steps:,} steps"),
        ("accuracy", f"{accuracy}, on {job.test_rows} rows of the buyer's own"),
        ("buyer paid", f"{grist(job.buyer_paid)}: {parts}"),
        ("provider received", grist(job.provider_received)),
        ("blocks", ", ".join(f"{step} {job.blocks[step]}" for step in ORDER)),
        ("receipt", f"job {receipt.job}, numerics {receipt.numerics}, the provider's signature verified"),
        ("weights", job.weights_hash),
        ("module", "0x" + receipt.module_hash.hex()),
        ("enclave", f"imports of the enclave module: {job.imports}"),
        ("fuel", f"{job.fuel_quoted:,} quoted, {job.fuel_used:,} used"),
        ("byte scan", f"{found} in {scan.bytes_scanned:,} bytes of {scan.items:,} items"),
        ("", "(it looks for rows as bytes; it is not a proof of privacy: weights can memorise)"),
    ]
    if job.unconfined:
        lines.append(("note", "this system does not give the enclave: " + "; ".join(job.unconfined)))
    return lines


def figures(story: Story, checked: Sequence[Sequence[Claim]]) -> dict[str, Any]:
    """One JSON object: the first job's figures, and all jobs under `jobs`. Amounts in smallest units."""
    jobs = [_job(job, claims) for job, claims in zip(story.jobs, checked, strict=True)]
    holds = all(claim.holds for claims in checked for claim in claims)
    return {**jobs[0], "holds": holds, "seconds": round(story.seconds, 1), "jobs": jobs}


def _job(job: Job, claims: Sequence[Claim]) -> dict[str, Any]:
    return {
        "model": job.model,
        "job": job.number,
        "rows": job.rows,
        "test_rows": job.test_rows,
        "accuracy_before": job.accuracy_before,
        "accuracy_after": job.accuracy_after,
        "price_paid": job.price,
        "fee_burned": job.fee_burned,
        "buyer_paid": job.buyer_paid,
        "buyer_fees": job.buyer_fees,
        "provider_received": job.provider_received,
        "enclave_imports": job.imports,
        "fuel_quoted": job.fuel_quoted,
        "fuel_used": job.fuel_used,
        "steps": job.receipt.steps,
        "numerics": job.receipt.numerics,
        "weights_hash": job.weights_hash,
        "module_hash": "0x" + job.receipt.module_hash.hex(),
        "blocks": job.blocks,
        "state": job.state,
        "rows_leaked": job.leaks.rows_leaked,
        "rows_searched": job.leaks.rows_searched,
        "items_scanned": job.leaks.items,
        "bytes_scanned": job.leaks.bytes_scanned,
        "unconfined": list(job.unconfined),
        "claims": {claim.text: claim.holds for claim in claims},
    }
