"""The provider daemon: private rows on this side, a chain on the other, the enclave between them.

It follows **states**, not events: at start and at every finalized head it reads its open jobs and takes the
next step of each. Submitted: examine, then accept or reject with a reason from an enum. Accepted: train,
seal, store the sealed bytes, then put them on chain and submit the result. Delivered and past its deadline:
collect the payment. So it does not matter when it was stopped: whatever was not done yet is still to be done.

What makes a restart safe: the sealed result is stored on disk before its hash is announced, so the same bytes
are submitted again (training is deterministic, but salt and sealing are not); the noise key is a function of
(daemon secret, chain, job), so a second run adds the same noise; every step is journaled before it is taken;
one daemon at a time holds the directory's lock.

Logs name jobs, steps and reasons, never a value from a row.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from client import blobs, datasets, jobs
from client.audit import Audit
from client.chain import Chain, Signer
from client.dataset_file import commitment, encoded_rows
from client.errors import ChainError, ClientError, NodeUnreachable
from client.files import private_directory, write_atomically
from client.journal import Journal
from client.keyring import Identity
from client.ledger import Ledger
from client.provider_file import ProviderFile
from client.provider_secret import read_secret
from executor import admission, receipt
from executor.enclave import Enclave, Limits, Secrets, TrainResult
from executor.errors import (
    CommitmentMismatch,
    DataError,
    DeadlineExceeded,
    Diverged,
    ExecutorError,
    LimitError,
    MemoryLimit,
    ModelError,
    OutOfFuel,
    SpecError,
    TooLarge,
)
from executor.initialise import init_key
from executor.rows import RowSource
from primitives import job as rules
from primitives import spec as specs
from primitives.data import BLOB_MAX, blob_hash
from primitives.hashing import tagged
from primitives.job import FailReason, JobState, RejectReason
from primitives.sealing import SealError, model_context, open_sealed, result_context, seal

log = logging.getLogger("gristmill.provider")

R = TypeVar("R")

FUEL_MAX = 2**62
IDLE = 0.2
"""Seconds between two looks at the chain."""
PAUSE = 1.0
PAUSE_MAX = 60.0
"""Seconds that a job is left alone after a failed step, at first and at most."""
TIDY = 600.0
"""Seconds between two looks for deposits to take back."""
REPORT = 10.0
"""Seconds between two lines of the log about a running training."""

REJECTIONS: tuple[tuple[type[ExecutorError], RejectReason], ...] = (
    (TooLarge, RejectReason.TooMuchMemory),
    (MemoryLimit, RejectReason.TooMuchMemory),
    (LimitError, RejectReason.TooMuchWork),
    (ModelError, RejectReason.ModelRefused),
    (SpecError, RejectReason.SpecRefused),
)
"""Why a quote failed, as a reason for the buyer; the first that fits."""

FAILURES: tuple[tuple[type[ExecutorError], FailReason], ...] = (
    (OutOfFuel, FailReason.OutOfFuel),
    (MemoryLimit, FailReason.OutOfMemory),
    (DeadlineExceeded, FailReason.Deadline),
    (Diverged, FailReason.NotFinite),
    (CommitmentMismatch, FailReason.DatasetUnavailable),
    (DataError, FailReason.DatasetUnavailable),
)
"""Why a run failed, as a reason for the buyer; the first that fits, else Executor."""


class Rejection(Exception):
    """A job that this provider will not do."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Failure(Exception):
    """An accepted job that cannot be done."""

    def __init__(self, reason: FailReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Provider:
    """One dataset, served. `prepare` once, then `tick` again and again, or `run`."""

    def __init__(
        self,
        directory: Path,
        settings: ProviderFile,
        chain: Chain,
        identity: Identity,
        audit: Audit | None = None,
        enclave: Enclave | None = None,
    ) -> None:
        self.settings = settings
        self.chain = chain
        self.identity = identity
        self.signer = Signer(identity.keypair)
        self.audit = audit
        self.enclave = enclave or Enclave()
        self.secret = read_secret(directory)
        self.rows: RowSource = settings.dataset.source(self.secret.dataset)
        self.ledger = Ledger(directory / "ledger", self.secret.ledger)
        home = private_directory(directory / "chains" / chain.genesis.hex()[:16])
        self.results = private_directory(home / "results")
        self.journal = Journal(home / "journal.jsonl")
        self.dataset: int | None = None
        self._pauses: dict[int, tuple[float, float]] = {}
        self.progress: Callable[[int, int], None] | None = None

    # --- registration

    def prepare(self) -> int:
        """Register and list the dataset where that is still to be done; its number. Safe to repeat."""
        self.chain.wait_quiet(self.signer)
        number = self._registered()
        self.dataset = number
        record = datasets.read(self.chain, number)
        if record.policy != self.settings.policy:
            log.info("dataset %d: the policy file changed; setting the policy", number)
            datasets.set_policy(self.chain, self.signer, number, self.settings.policy)
        terms = datasets.listing(self.chain, number)
        wanted = (self.settings.tariff, self.settings.windows)
        if terms is None or (terms.tariff, terms.windows) != wanted:
            datasets.list_for_rent(self.chain, self.signer, number, *wanted)
            log.info("dataset %d: listed for rent", number)
        return number

    def _registered(self) -> int:
        self.ledger.claim(self.rows.root, list(encoded_rows(self.rows)), self.chain.genesis)
        number = datasets.owned_with_root(self.chain, self.identity.keypair.account_id, self.rows.root)
        if number is None:
            number = datasets.register(
                self.chain,
                self.signer,
                commitment(self.rows),
                self.identity.seal_public,
                self.settings.policy,
            )
            log.info("dataset %d: registered %d rows", number, self.rows.rows)
        return number

    # --- the loop

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop. A node that is away is waited for."""
        seen: bytes | None = None
        looked, tidied = 0.0, 0.0
        while not stop.is_set():
            try:
                head, _ = self.chain.finalized()
                if head != seen or time.monotonic() - looked > 1.0:
                    self.tick()
                    seen, looked = head, time.monotonic()
                if time.monotonic() - tidied > TIDY:
                    self.tidy()
                    tidied = time.monotonic()
            except NodeUnreachable:
                log.warning("the node does not answer; waiting")
                stop.wait(1.0)
            except ClientError as error:  # a bond may be at stake: the next answer may be a better one
                log.warning("the node's answer cannot be used: %s; waiting", error.name)
                stop.wait(1.0)
            stop.wait(IDLE)

    def tick(self) -> int:
        """Take the next step of every open job of ours; how many steps were taken."""
        at, _ = self.chain.finalized()
        numbers = jobs.open_numbers(self.chain, self.identity.keypair.account_id, at)
        open_jobs = [(number, jobs.read(self.chain, number, at)) for number in numbers]
        ours = [pair for pair in open_jobs if self._is_ours(pair[1])]
        urgent_first = sorted(ours, key=lambda pair: (-pair[1].state, pair[0]))
        return sum(self._step(number, job) for number, job in urgent_first)

    def tidy(self) -> int:
        """Take back the deposits of results that were there long enough; how many."""
        now, taken = self.chain.next_moment(), 0
        for entry in self.journal.entries.copy():
            if entry.step != "sealed" or self.journal.find(entry.job, "reclaimed") is not None:
                continue
            blob = bytes.fromhex(entry.details["sealed_hash"])
            found = blobs.info(self.chain, blob)
            if found is None or found.owner != self.identity.keypair.account_id:
                continue
            kept = now >= found.declared + self.settings.limits.keep_results_ms
            if kept and blobs.removable(self.chain, found, now):
                taken += self._reclaim(entry.job, blob)
        return taken

    def _reclaim(self, number: int, blob: bytes) -> bool:
        try:
            blobs.remove(self.chain, self.signer, blob)
        except ChainError as error:
            log.warning("job %d: the deposit of its result stays for now: %s", number, error.name)
            return False
        self.journal.record(number, "reclaimed")
        log.info("job %d: took back the deposit of its result", number)
        return True

    def _is_ours(self, job: jobs.Job) -> bool:
        """Another directory of the same account serves its own dataset's jobs."""
        return job.provider == self.identity.keypair.account_id and job.dataset == self.dataset

    def _step(self, number: int, job: jobs.Job) -> bool:
        steps = {
            JobState.Submitted: self._decide,
            JobState.Accepted: self._deliver,
            JobState.Delivered: self._collect,
        }
        until, _ = self._pauses.get(number, (0.0, 0.0))
        if time.monotonic() < until:
            return False
        try:
            taken = steps[job.state](number, job)
        except NodeUnreachable:
            raise
        except ChainError as error:
            return self._pause(number, f"the chain refused a step: {error.name}")
        except ClientError as error:
            return self._pause(number, error.name)
        except Exception as error:  # one job's defect must not stop the others; its text could quote a row
            return self._pause(number, f"an unforeseen {type(error).__name__}")
        self._pauses.pop(number, None)
        return taken

    def _pause(self, number: int, why: str) -> bool:
        """Leave a job alone for a while, twice as long each time: a refused step costs a fee."""
        _, last = self._pauses.get(number, (0.0, PAUSE / 2))
        pause = min(2 * last, PAUSE_MAX)
        self._pauses[number] = (time.monotonic() + pause, pause)
        log.warning("job %d: %s; again in %.0f s", number, why, pause)
        return False

    # --- Submitted

    def _decide(self, number: int, job: jobs.Job) -> bool:
        """Accept or reject; nothing when it is too late for both."""
        if self.chain.next_moment() > job.accept_by:
            return False
        try:
            self._examine(number, job)
        except Rejection as rejection:
            self.journal.record(number, "rejecting", reason=rejection.reason.name)
            log.info("job %d: rejecting: %s", number, rejection.reason.name)
            jobs.reject(self.chain, self.signer, number, rejection.reason)
            return True
        self.journal.record(number, "accepting")
        log.info("job %d: accepting", number)
        try:
            jobs.accept(self.chain, self.signer, number, self._noise_commit(number, job))
        except ChainError as error:
            if error.name != "Compute.CannotBond":
                raise
            log.warning("job %d: the account cannot pay the bond; rejecting", number)
            jobs.reject(self.chain, self.signer, number, RejectReason.Busy)
        return True

    def _examine(self, number: int, job: jobs.Job) -> None:
        """Everything that can be known before the bond is at stake. Raises Rejection."""
        if (job.root, job.rows) != (self.rows.root, self.rows.rows):
            raise Rejection(RejectReason.DatasetUnavailable)
        order = self._order(number, job)
        if order is None:
            raise Rejection(RejectReason.SpecRefused)
        breach = rules.policy_breach(order.policy, order.spec, job.buyer, job.rows)
        if breach is not None:  # before the model is even opened
            raise Rejection(breach)
        try:
            quoted = self.enclave.quote(self._model(job, order), order.spec, self.rows.rows, self.rows.schema)
        except specs.SpecError:
            raise Rejection(RejectReason.SpecRefused) from None
        except ExecutorError as error:
            log.info("job %d: the enclave refuses it: %s", number, type(error).__name__)
            raise Rejection(_first(REJECTIONS, error, RejectReason.ModelRefused)) from None
        if quoted.work.work > job.work:
            raise Rejection(RejectReason.WorkMismatch)
        limits = admission.Bounds(self.settings.limits.memory, self.settings.limits.max_work)
        found = admission.findings(order.policy, order.spec, job.buyer, job.rows, quoted, limits)
        refused = admission.broken(found)
        if refused is not None:
            log.info("job %d: the rule on %s: %s", number, refused.rule, refused.says)
            raise Rejection(refused.reason)

    def _order(self, number: int, job: jobs.Job) -> jobs.Order | None:
        """The order, when it is the one that the job commits to and makes sense."""
        order = jobs.order(self.chain, number)
        if order is None or order.spec.hash != job.spec_hash:
            return None
        try:
            specs.check_spec(order.spec)
            specs.check_columns(self.rows.schema, order.spec)
        except specs.SpecError:
            return None
        return order

    def _model(self, job: jobs.Job, order: jobs.Order) -> bytes:
        """The model in plaintext; it is only ever given to the enclave. Raises Rejection."""
        found = blobs.info(self.chain, job.model)
        if found is None or not found.complete:
            raise Rejection(RejectReason.ModelMissing)
        sealed = blobs.fetch(self.chain, job.model)
        context = model_context(job.dataset, job.buyer)
        try:
            model = open_sealed(self.identity.seal_secret, context, self.chain.genesis, sealed)
        except SealError:
            raise Rejection(RejectReason.ModelNotSealedToMe) from None
        if rules.model_hash(model) != order.spec.model_hash:
            raise Rejection(RejectReason.ModelHashMismatch)
        return model

    # --- Accepted

    def _deliver(self, number: int, job: jobs.Job) -> bool:
        """Train unless a sealed result is already stored, then publish it and submit its hash."""
        if self.chain.next_moment() > job.result_by:
            return False
        try:
            sealed = self._sealed(number, job)
        except Failure as failure:
            self.journal.record(number, "failing", reason=failure.reason.name)
            log.warning("job %d: giving up: %s", number, failure.reason.name)
            jobs.fail(self.chain, self.signer, number, failure.reason)
            return True
        entry = self.journal.find(number, "sealed")
        assert entry is not None, "a sealed result is journaled before it is used"
        self.journal.record(number, "publishing")
        blobs.publish(self.chain, self.signer, sealed)
        self.journal.record(number, "submitting")
        jobs.submit_result(
            self.chain,
            self.signer,
            number,
            sealed_hash=blob_hash(sealed),
            sealed_len=len(sealed),
            commitment=bytes.fromhex(entry.details["commitment"]),
        )
        log.info("job %d: result delivered", number)
        return True

    def _sealed(self, number: int, job: jobs.Job) -> bytes:
        """The sealed result: the stored one, or a new one, stored before it is returned. Raises Failure."""
        path = self.results / f"{number}.sealed"
        entry = self.journal.find(number, "sealed")
        if entry is not None and path.exists():
            stored = path.read_bytes()
            if blob_hash(stored).hex() == entry.details["sealed_hash"]:
                return stored
        package, promised = self._train(number, job)
        if self.audit is not None:
            self.audit.result(number, package)
        sealed = seal(job.seal_pk, result_context(number), self.chain.genesis, package)
        if len(sealed) > BLOB_MAX:
            raise Failure(FailReason.ResultTooLarge)
        write_atomically(path, sealed)
        self.journal.record(number, "sealed", sealed_hash=blob_hash(sealed).hex(), commitment=promised.hex())
        return sealed

    def _train(self, number: int, job: jobs.Job) -> tuple[bytes, bytes]:
        """(result package in plaintext, its commitment). Raises Failure."""
        order = self._order(number, job)
        if order is None or job.beacon is None:
            raise Failure(FailReason.Provider)
        if (job.root, job.rows) != (self.rows.root, self.rows.rows):
            raise Failure(FailReason.DatasetUnavailable)
        self.journal.record(number, "training")
        log.info("job %d: training", number)
        started = time.monotonic()
        result = self._enclave_run(number, job, order)
        log.info("job %d: trained in %.1f s", number, time.monotonic() - started)
        facts = receipt.JobFacts(
            genesis=self.chain.genesis,
            job=number,
            dataset_root=job.root,
            noise_commit=self._noise_commit(number, job),
            metrics=() if order.spec.dp is not None else order.policy.metrics,  # a loss is a release too
        )
        certifier = receipt.Certifier(
            self.identity.keypair.account_id, self.identity.keypair.scheme, self.identity.keypair.sign
        )
        signed = receipt.build(result, order.spec, facts, os.urandom(32), certifier)
        return receipt.pack(result, signed), rules.result_commitment(signed)

    def _enclave_run(self, number: int, job: jobs.Job, order: jobs.Order) -> TrainResult:
        left = (job.result_by - self.chain.next_moment()) / 1000
        limits = Limits(
            memory=self.settings.limits.memory,
            fuel=FUEL_MAX,
            deadline_ms=max(1, int(1000 * min(self.settings.limits.deadline, left))),
        )
        assert job.beacon is not None
        try:
            return self.enclave.train(
                self._model(job, order),
                self.rows,
                order.spec,
                limits,
                Secrets(noise_key=self.secret.noise(self.chain.genesis, number)),
                init_key=init_key(job.beacon, number),
                losses=bool(order.policy.metrics),
                progress=self.progress or _reporter(number),
            )
        except Rejection:
            raise Failure(FailReason.Provider) from None
        except ExecutorError as error:
            log.warning("job %d: the enclave stopped: %s", number, type(error).__name__)
            raise Failure(_first(FAILURES, error, FailReason.Executor)) from None

    def _noise_commit(self, number: int, job: jobs.Job) -> bytes | None:
        if not job.rho:
            return None
        return tagged("noise-commit", self.secret.noise(self.chain.genesis, number))

    # --- Delivered

    def _collect(self, number: int, job: jobs.Job) -> bool:
        """Take the payment when the buyer let the time for objections pass."""
        if self.chain.next_moment() <= job.confirm_by:
            return False
        self.journal.record(number, "collecting")
        jobs.expire(self.chain, self.signer, number)
        log.info("job %d: paid", number)
        return True


def _reporter(number: int) -> Callable[[int, int], None]:
    """Says in the log how far a training is, now and then."""
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > REPORT:
            last = time.monotonic()
            log.info("job %d: %d of %d steps", number, done, total)

    return report


def _first(table: Sequence[tuple[type[ExecutorError], R]], error: ExecutorError, other: R) -> R:
    return next((reason for kind, reason in table if isinstance(error, kind)), other)
