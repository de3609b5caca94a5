"""The admission check: may this job be trained on these rows at all? Each rule has a name.

Two kinds of rules. Those of the provider's policy that the chain can judge too
(`primitives.job.policy_rules`), and those that need the model, which only a compiler in the enclave's process
has read: the operators' grammar and the trainable set (a refusal of `Enclave.quote` carries the error's
name), parameters for each row, the size of what leaves, work and memory. Why these rules: Song et al. 2017
(arXiv:1709.07886), "Transpose" attacks (arXiv:2311.07389) and privacy backdoors (arXiv:2404.00473) carry rows
out in weights that the buyer shaped, chose, or had too many of.

A buyer asks before paying (`gristmill job check`), the provider before accepting.
"""

from dataclasses import dataclass

from executor.enclave import Quoted
from primitives.data import BLOB_MAX, Policy
from primitives.job import RejectReason, init_allowed, policy_rules
from primitives.scale import replace
from primitives.sealing import sealed_length
from primitives.spec import Init, TrainingSpec, bits_float, rate_bits

FLOAT = 4
GIVEN_MAX = 1024
"""Numbers that a model may bring besides what is trained, where its buyer may give no weights: shapes,
factors, a small mask. A frozen layer is a given one, be it an initialiser, a constant or an attribute."""


@dataclass(frozen=True)
class Finding:
    """A rule, whether the job keeps it, and the figures in a sentence."""

    rule: str
    holds: bool
    reason: RejectReason
    says: str


@dataclass(frozen=True)
class Bounds:
    """What one run may use on the provider's machine: bytes, units of work."""

    memory: int
    work: int


def findings(
    policy: Policy, spec: TrainingSpec, buyer: bytes, rows: int, quoted: Quoted, bounds: Bounds | None = None
) -> list[Finding]:
    """Every rule, judged; without `bounds` those of the machine are left out: a buyer does not know them.

    `quoted` is `Enclave.quote(model, spec, rows)`: a model or spec that it refuses never gets here.
    """
    judged = policy_rules(policy, spec, buyer, rows)
    says = _sentences(policy, spec, rows)
    found = [Finding(rule.name, rule.holds, rule.reason, says[rule.name]) for rule in judged]
    found.append(_given_numbers(policy, spec, buyer, quoted))
    return found + _of_the_model(policy, rows, quoted) + (_of_the_machine(quoted, bounds) if bounds else [])


def broken(found: list[Finding]) -> Finding | None:
    """The first rule that does not hold."""
    return next((finding for finding in found if not finding.holds), None)


def _sentences(policy: Policy, spec: TrainingSpec, rows: int) -> dict[str, str]:
    """For each of `policy_rules`: what is asked, what the job has."""
    noise = "no noise" if spec.dp is None else f"noise multiplier {spec.dp.sigma_milli / 1000:g}"
    private = f"{noise}; without: {_who(policy.without_dp)}, with: at least {policy.sigma_min_milli / 1000:g}"
    low, high = bits_float(policy.rate_min), bits_float(policy.rate_max)
    losses = " + ".join(_kind(term.loss) for term in spec.terms)
    return {
        "differential privacy": private,
        "initial weights": f"{_kind(spec.init)}; given ones: {_who(policy.given_weights)}",
        "least rows": f"{rows}; at least {policy.min_rows}",
        "loss": f"{losses}; one of {', '.join(loss.name for loss in policy.losses)}",
        "optimizer": f"{_kind(spec.optimizer)}; one of {', '.join(kind.name for kind in policy.optimizers)}",
        "learning rate": f"{bits_float(rate_bits(spec.optimizer)):g}; {low:g} to {high:g}",
        "epochs": f"{spec.epochs}; at most {policy.epochs_max}",
    }


def _given_numbers(policy: Policy, spec: TrainingSpec, buyer: bytes, quoted: Quoted) -> Finding:
    """What is not trained keeps the buyer's values, however the initial weights of the rest are drawn."""
    free = init_allowed(policy, replace(spec, init=Init.Given()), buyer)
    says = f"{quoted.given} besides the trained; {'any number' if free else f'at most {GIVEN_MAX}'}"
    holds = free or quoted.given <= GIVEN_MAX
    return Finding("given numbers", holds, RejectReason.GivenWeightsForbidden, says)


def _of_the_model(policy: Policy, rows: int, quoted: Quoted) -> list[Finding]:
    share, most = quoted.parameters / rows, policy.params_per_row_milli / 1000
    enough = quoted.parameters * 1000 <= policy.params_per_row_milli * rows
    size = sealed_length(FLOAT * quoted.parameters)
    per_row, output = f"{share:.2f}; at most {most:g}", f"{size} bytes; below {BLOB_MAX}"
    return [
        Finding("trained parameters a row", enough, RejectReason.TooManyParameters, per_row),
        Finding("size of the result", size < BLOB_MAX, RejectReason.TooManyParameters, output),
    ]


def _of_the_machine(quoted: Quoted, bounds: Bounds) -> list[Finding]:
    work, memory = quoted.work.work, quoted.work.memory
    return [
        Finding("memory", memory <= bounds.memory, RejectReason.TooMuchMemory, f"{memory}; {bounds.memory}"),
        Finding("work", work <= bounds.work, RejectReason.TooMuchWork, f"{work}; {bounds.work}"),
    ]


def _kind(value: object) -> str:
    return type(value).__name__


def _who(rule: object) -> str:
    """A policy's rule about people, in a word or two."""
    words = {"Never": "never", "UnderDp": "under differential privacy", "Anyone": "anyone"}
    return words.get(_kind(rule), "by listed buyers")
