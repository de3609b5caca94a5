"""What the demo claims about a job. Each claim is checked against measured figures; a broken one fails the
demo.
"""

from typing import NamedTuple

from cli.demo.story import Job

ACCURACY_MIN = 0.90
GAIN_MIN = 0.5


class Claim(NamedTuple):
    """A sentence, and whether it is true."""

    text: str
    holds: bool


def check(job: Job) -> list[Claim]:
    """All claims about one job."""
    accuracy = f"accuracy on the buyer's test rows is at least {ACCURACY_MIN:.0%} after training"
    return [
        Claim(accuracy, job.accuracy_after >= ACCURACY_MIN),
        Claim(
            f"accuracy rose by at least {GAIN_MIN:.0%}", job.accuracy_after - job.accuracy_before >= GAIN_MIN
        ),
        Claim("the job is settled on chain", job.state == "Settled"),
        Claim("the provider received exactly the price", job.provider_received == job.price > 0),
        Claim(
            "the buyer paid the price, the burned fee and the fees of transactions, nothing else",
            job.buyer_paid == job.price + job.fee_burned + job.buyer_fees,
        ),
        Claim("the enclave's module is the one that the quote compiles", job.module_known),
        Claim("the enclave's module imports nothing", job.imports == 0),
        Claim(
            "fuel used ≤ fuel quoted ≤ fuel used / 0.9",
            job.fuel_used <= job.fuel_quoted and 9 * job.fuel_quoted <= 10 * job.fuel_used,
        ),
        Claim("the byte scan finds no row of the provider", job.leaks.rows_leaked == 0),
        Claim(
            "the byte scan could search nearly every row", job.leaks.rows_searched >= 0.95 * job.leaks.rows
        ),
    ]
