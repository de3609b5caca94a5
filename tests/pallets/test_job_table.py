"""The job table under honest and hostile parties: a model of it, and the chain beside it.

Anybody tries anything at any time, and between the steps time jumps, accounts are emptied, frozen, held
elsewhere or filled, datasets change and close, blobs are taken away. After every rule * the chain answered
as the model says, by name, and what it refused left no trace; * accounts, issuance, holds and privacy
ledgers are what the model says, to the unit; * each open job has an exit that a stranger can take once its
deadline has passed. At the end every deadline passes, strangers expire what is open, and nothing is left in
anybody's way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from primitives.data import DatasetState, Tariff
from primitives.job import FailReason, JobState, RejectReason
from tests.pallets.samples import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    DP,
    EVE,
    GRIST,
    HOUR,
    MILLI,
    POLICY,
    SECOND,
    SPEC,
    WINDOWS,
    blob_hash,
    policy,
    rent,
    seal_key,
    spec,
)
from tests.pallets.world import ED, ERA, MODEL, PEOPLE, RESULT, World

WORK = 10**9
TARIFFS = [
    Tariff(base=ED, per_gwork=0, per_rho=0),
    Tariff(base=7, per_gwork=ED, per_rho=3),
    Tariff(base=20 * MILLI, per_gwork=33_333_333_333, per_rho=GRIST + 1),
]
PLAIN, PRIVATE = SPEC, spec(epochs=10, dp=DP)
RHO = 312_500_000
STEPS = ("cancel", "reject", "accept", "submit_result", "fail", "confirm")
OPEN = (JobState.Submitted, JobState.Accepted, JobState.Delivered)
NEXT = {
    JobState.Submitted: ("accept", "accept", "accept", "cancel", "reject"),
    JobState.Accepted: ("submit_result", "submit_result", "fail"),
    JobState.Delivered: ("confirm",),
}
BEGINS = {
    "cancel": JobState.Submitted,
    "reject": JobState.Submitted,
    "accept": JobState.Submitted,
    "submit_result": JobState.Accepted,
    "fail": JobState.Accepted,
    "confirm": JobState.Delivered,
}


@dataclass
class ModelJob:
    """What the table says about a job."""

    dataset: int
    buyer: bytes
    provider: bytes
    price: int
    rho: int
    block: int
    deadline: int
    state: JobState = JobState.Submitted
    results: int = 0

    @property
    def fee(self) -> int:
        """Two hundredths, rounded up."""
        return (self.price * 2 + 99) // 100

    @property
    def bond(self) -> int:
        """A tenth, at least the existential deposit."""
        return max(ED, self.price // 10)

    def party(self, step: str) -> bytes:
        """Whose step it is."""
        return self.buyer if step in {"cancel", "confirm"} else self.provider


@dataclass
class ModelDataset:
    """What the model knows about a dataset."""

    owner: bytes
    tariff: Tariff | None
    budget: int = POLICY.rho_budget
    spent: int = 0
    state: DatasetState = DatasetState.Active
    jobs: set[int] = field(default_factory=set)


class JobTable(RuleBasedStateMachine):
    """Drives `World` and a model of the table side by side."""

    @initialize()
    def begin(self) -> None:
        """Two datasets, one model, one result."""
        self.world = World()
        self.jobs: dict[int, ModelJob] = {}
        self.datasets: dict[int, ModelDataset] = {}
        for owner in (ALICE, BOB):
            self._offer_another(owner, TARIFFS[2])
        self.world.upload(CAROL, MODEL)
        self.world.upload(ALICE, RESULT)
        self._look()

    # --- what the model remembers ---------------------------------------------------------------------

    def _look(self) -> None:
        """After a rule that is about accounts, not about jobs: take their totals as they are."""
        self.totals = {who: self.world.total(who) for who in PEOPLE}
        self.issuance = self.world.issuance()

    def _reserved(self, dataset: int) -> int:
        open_jobs = (self.jobs[job] for job in self.datasets[dataset].jobs)
        return sum(job.rho for job in open_jobs if job.state != JobState.Delivered)

    def _end(self, id: int, state: JobState) -> None:
        job = self.jobs[id]
        dataset = self.datasets[job.dataset]
        if job.state == JobState.Accepted:
            dataset.spent += job.rho
        job.state = state
        dataset.jobs.discard(id)
        if dataset.state == DatasetState.Closing and not dataset.jobs:
            dataset.state = DatasetState.Closed

    def _settle(self, id: int) -> None:
        job = self.jobs[id]
        self.totals[job.buyer] -= job.price + job.fee
        self.totals[job.provider] += job.price
        self.issuance -= job.fee
        self._end(id, JobState.Settled)

    def _some(self, index: int) -> int:
        """A job, mostly an open one, sometimes one that is over or not there."""
        open_jobs = [id for id, job in self.jobs.items() if job.state in OPEN]
        if index % 5 and open_jobs:
            return open_jobs[index % len(open_jobs)]
        return index % (len(self.jobs) + 1)

    # --- the table ------------------------------------------------------------------------------------

    @rule(
        who=st.sampled_from(PEOPLE),
        dataset=st.integers(0, 6),
        private=st.booleans(),
        generous=st.sampled_from([True, True, True, False]),
    )
    def submit(self, who: bytes, dataset: int, private: bool, generous: bool) -> None:
        """Somebody orders a job."""
        rho = RHO if private else 0
        price = self._price(dataset, rho)
        call = self.world.compute.submit.new(
            dataset=dataset,
            model=blob_hash(MODEL),
            work=WORK,
            spec=PRIVATE if private else PLAIN,
            max_price=price if generous else price - 1,
            seal_pk=seal_key(3),
        )
        expected = self._why_not_submit(who, dataset, rho, price, generous)
        assert self.world.attempt(call, who) == expected
        if expected is None:
            id = len(self.jobs)
            self.jobs[id] = ModelJob(
                dataset=dataset,
                buyer=who,
                provider=self.datasets[dataset].owner,
                price=price,
                rho=rho,
                block=self.world.system.block_number(),
                deadline=self.world.now() + WINDOWS.accept_ms,
            )
            self.datasets[dataset].jobs.add(id)

    def _price(self, dataset: int, rho: int) -> int:
        tariff = self.datasets[dataset].tariff if dataset in self.datasets else None
        if tariff is None:
            return GRIST
        return tariff.base + tariff.per_gwork + -(-rho * tariff.per_rho // 10**9)

    def _why_not_submit(self, who: bytes, id: int, rho: int, price: int, generous: bool) -> str | None:
        dataset = self.datasets.get(id)
        if dataset is None or dataset.state != DatasetState.Active:
            return "DatasetUnavailable"
        if dataset.tariff is None:
            return "NotListed"
        left = dataset.budget - dataset.spent - self._reserved(id)
        fee = (price * 2 + 99) // 100
        rules = (
            (dataset.owner == who, "OwnDataset"),
            (rho > max(0, left), "PrivacyBudgetExceeded"),
            (self.world.blobs.length(blob_hash(MODEL)) is None, "BlobMissing"),
            (not generous, "MaxPriceTooLow"),
            (not self.world.market.can_pay(who, price + fee), "CannotPay"),
        )
        return next((name for broken, name in rules if broken), None)

    @rule(who=st.sampled_from(PEOPLE), index=st.integers(0, 50), step=st.sampled_from(STEPS))
    def anyone_tries_anything(self, who: bytes, index: int, step: str) -> None:
        """Some step, by somebody, on some job."""
        self._try(self._some(index), who, step)

    @rule(
        buyer=st.sampled_from([CAROL, DAVE, BOB]),
        steps=st.integers(0, 3),
        dataset=st.integers(0, 1),
        private=st.booleans(),
    )
    def a_job_goes_well_for_a_while(self, buyer: bytes, steps: int, dataset: int, private: bool) -> None:
        """Submitted in one block, then so many steps on in the next, as far as the accounts allow."""
        count = len(self.jobs)
        self.submit(buyer, dataset, private, True)
        if len(self.jobs) == count:
            return
        self.world.next_block()
        for step in ("accept", "submit_result", "confirm")[:steps]:
            self._try(count, self.jobs[count].party(step), step)

    @precondition(lambda self: any(job.state in OPEN for job in self.jobs.values()))
    @rule(index=st.integers(0, 50), choice=st.integers(0, 59))
    def somebody_does_their_part(self, index: int, choice: int) -> None:
        """A step that the table allows, unless it is late."""
        ids = [id for id, job in self.jobs.items() if job.state in OPEN]
        id = ids[index % len(ids)]
        steps = NEXT[self.jobs[id].state]
        step = steps[choice % len(steps)]
        self._try(id, self.jobs[id].party(step), step)

    def _try(self, id: int, who: bytes, step: str) -> None:
        compute = self.world.compute
        call = {
            "cancel": lambda: compute.cancel.new(id),
            "reject": lambda: compute.reject.new(id, RejectReason.Busy),
            "accept": lambda: compute.accept.new(id, b"\1" * 32),
            "submit_result": lambda: compute.submit_result.new(id, blob_hash(RESULT), len(RESULT), bytes(32)),
            "fail": lambda: compute.fail.new(id, FailReason.Executor),
            "confirm": lambda: compute.confirm.new(id),
        }[step]()
        expected = self._why_not(id, who, step)
        assert self.world.attempt(call, who) == expected
        if expected is None:
            self._done(id, step)

    def _why_not(self, id: int, who: bytes, step: str) -> str | None:
        job = self.jobs.get(id)
        if job is None:
            return "NoSuchJob"
        lacks_bond = step == "accept" and not self.world.market.can_bond(who, job.bond)
        lacks_blob = step == "submit_result" and self.world.blobs.length(blob_hash(RESULT)) is None
        rules = (
            (who != job.party(step), "NotYourJob"),
            (job.state != BEGINS[step], "WrongState"),
            (self.world.now() > job.deadline, "TooLate"),
            (step == "accept" and self.world.system.block_number() <= job.block, "TooEarly"),
            (lacks_bond, "CannotBond"),
            (lacks_blob, "BlobMissing"),
        )
        return next((name for broken, name in rules if broken), None)

    def _done(self, id: int, step: str) -> None:
        job = self.jobs[id]
        now = self.world.now()
        if step == "accept":
            job.state, job.deadline = JobState.Accepted, now + WINDOWS.result_ms
        elif step == "submit_result":
            self.datasets[job.dataset].spent += job.rho
            job.state, job.deadline, job.results = (
                JobState.Delivered,
                now + WINDOWS.confirm_ms,
                job.results + 1,
            )
        elif step == "confirm":
            self._settle(id)
        else:
            ends = {"cancel": JobState.Cancelled, "reject": JobState.Rejected, "fail": JobState.Failed}
            self._end(id, ends[step])

    @rule(who=st.sampled_from(PEOPLE), index=st.integers(0, 50))
    def expire(self, who: bytes, index: int) -> None:
        """Somebody tries to expire some job."""
        self._expire(self._some(index), who)

    def _expire(self, id: int, who: bytes) -> None:
        job = self.jobs.get(id)
        if job is None:
            expected: str | None = "NoSuchJob"
        elif job.state not in OPEN:
            expected = "WrongState"
        else:
            expected = "TooEarly" if self.world.now() <= job.deadline else None
        assert self.world.attempt(self.world.compute.expire.new(id), who) == expected
        if job is None or expected is not None:
            return
        if job.state == JobState.Delivered:
            self._settle(id)
            return
        if job.state == JobState.Accepted:
            self.totals[job.buyer] += job.bond // 2
            self.totals[job.provider] -= job.bond // 2
        self._end(id, JobState.Expired)

    # --- the world around it --------------------------------------------------------------------------

    @rule(milliseconds=st.sampled_from([0, 0, 1, SECOND, SECOND, 9 * SECOND, 25 * HOUR]))
    def time_passes(self, milliseconds: int) -> None:
        """A block, and the moment it is made."""
        self.world.wait(milliseconds)

    @rule(index=st.integers(0, 50), past=st.integers(-1, 1))
    def time_comes_to_a_deadline(self, index: int, past: int) -> None:
        """Just before, at, or just after it."""
        waits = [job.deadline + past - self.world.now() for job in self.jobs.values() if job.state in OPEN]
        ahead = [wait for wait in waits if wait >= 0]
        if ahead:
            self.world.wait(ahead[index % len(ahead)])

    @rule(
        who=st.sampled_from(PEOPLE),
        trouble=st.sampled_from(["empty", "freeze", "thaw", "lock", "unlock", "earn"]),
    )
    def accounts_get_into_trouble(self, who: bytes, trouble: str) -> None:
        """Emptied or reaped, frozen, held elsewhere, and back."""
        getattr(self.world, trouble)(who)
        self._look()

    @rule(data=st.data(), what=st.sampled_from(["terms", "close", "offer", "take", "bring", "claim"]))
    def something_else_happens(self, data: st.DataObject, what: str) -> None:
        """Around the jobs: datasets and listings change, blobs come and go, rewards are claimed."""
        getattr(self, f"_{what}")(data)

    def _terms(self, data: st.DataObject) -> None:
        """A new policy, a new version, new terms or none; open jobs do not mind."""
        id, dataset = self._dataset(data)
        tariff = data.draw(st.sampled_from([*TARIFFS, None]))
        budget = data.draw(st.sampled_from([10**9, RHO, 0]))
        world = self.world
        if dataset.state != DatasetState.Active:
            return
        world.do(world.datasets.set_policy.new(id, policy(rho_budget=budget)), dataset.owner)
        world.do(world.datasets.update.new(id, bytes(32), 500, 5), dataset.owner)
        if tariff is not None:
            world.do(world.market.list.new(id, rent(tariff)), dataset.owner)
        elif dataset.tariff is not None:
            world.do(world.market.unlist.new(id), dataset.owner)
        dataset.tariff, dataset.budget = tariff, budget

    def _close(self, data: st.DataObject) -> None:
        """Now, or when its last job ends."""
        id, dataset = self._dataset(data)
        if dataset.state == DatasetState.Active:
            self.world.do(self.world.datasets.close.new(id), dataset.owner)
            dataset.state = DatasetState.Closing if dataset.jobs else DatasetState.Closed

    def _dataset(self, data: st.DataObject) -> tuple[int, ModelDataset]:
        id = data.draw(st.integers(0, len(self.datasets) - 1))
        return id, self.datasets[id]

    def _offer_another(self, owner: bytes, tariff: Tariff) -> None:
        reason = self.world.datasets.reason(self.world.datasets.HoldReason.Deposit)
        if self.world.balances.can_hold(reason, owner, self.world.datasets.config.deposit):
            self.datasets[self.world.offer(owner, tariff)] = ModelDataset(owner, tariff)

    def _offer(self, data: st.DataObject) -> None:
        """Another dataset, if its owner can pay the deposit."""
        if len(self.datasets) < 6:
            self._offer_another(data.draw(st.sampled_from([ALICE, BOB])), data.draw(st.sampled_from(TARIFFS)))

    def _take(self, data: st.DataObject) -> None:
        """Take a blob away; refused while a job needs it."""
        hash = blob_hash(data.draw(st.sampled_from([MODEL, RESULT])))
        blob = self.world.blobs.blobs.get(hash)
        call = getattr(self.world.blobs, data.draw(st.sampled_from(["remove", "remove", "expire"])))
        who = data.draw(st.sampled_from([EVE, BOB] if blob is None else [blob.owner, EVE]))
        gone = self.world.attempt(call.new(hash), who) is None
        assert not gone or (blob is not None and not blob.references)

    def _bring(self, data: st.DataObject) -> None:
        """Bring a blob back, if the deposit can be paid."""
        who, blob = data.draw(st.sampled_from(PEOPLE)), data.draw(st.sampled_from([MODEL, RESULT]))
        reason = self.world.blobs.reason(self.world.blobs.HoldReason.Deposit)
        affordable = self.world.balances.can_hold(reason, who, self.world.blobs.deposit_for(len(blob)))
        if blob_hash(blob) not in self.world.blobs.blobs and affordable:
            self.world.upload(who, blob)

    def _claim(self, data: st.DataObject) -> None:
        """A claim moves money from the pool to the owner: less than the fees burned, and once."""
        rewards = self.world.rewards
        known = sorted(rewards.fees.keys()) or [(rewards.era(), 0)]
        era, dataset = data.draw(st.sampled_from(known))
        if data.draw(st.booleans()):
            self.world.wait(ERA)
        fees = rewards.fees.get(era, dataset) or 0
        call, who = rewards.claim.new(era, dataset), data.draw(st.sampled_from(PEOPLE))
        error = self.world.attempt(call, who)
        if era == rewards.era():
            assert error == "EraNotOver"
        owner = self.datasets[dataset].owner
        reward = self.world.total(owner) - self.totals[owner]
        assert error is not None or 0 < 10 * reward <= 9 * fees
        assert self.world.attempt(call, who) is not None
        self._look()

    # --- what must always hold ------------------------------------------------------------------------

    @invariant()
    def states_agree(self) -> None:
        """The chain's table is the model's, and every pallet's bookkeeping is whole."""
        self.world.check()
        assert {id: job.state for id, job in self.world.compute.jobs.items()} == {
            id: job.state for id, job in self.jobs.items()
        }
        assert all(job.results <= 1 for job in self.jobs.values())
        for id, dataset in self.datasets.items():
            assert self.world.datasets.datasets[id].state == dataset.state
            assert self.world.datasets.in_use(id) == (self._reserved(id), len(dataset.jobs))
            assert self.world.datasets.ledger[id].spent == dataset.spent

    @invariant()
    def money_is_where_the_table_says(self) -> None:
        """To the unit: accounts, escrow, and the issuance without the fees that settled jobs burned."""
        assert {who: self.world.total(who) for who in PEOPLE} == self.totals
        assert self.world.announced() == self.world.issuance() == self.issuance
        open_jobs = [job for job in self.jobs.values() if job.state in OPEN]
        held = sum(job.price + job.fee + job.bond * (job.state != JobState.Submitted) for job in open_jobs)
        assert self.world.market_holds() == held

    @invariant()
    def every_open_job_has_an_exit(self) -> None:
        """A stranger expires each one after its deadline, whatever became of everybody's accounts."""
        open_ids = [id for id, job in self.jobs.items() if job.state in OPEN]
        if not open_ids:
            return
        with self.world.rehearsal():
            self.world.ext.set_time(1 + max(self.jobs[id].deadline for id in open_ids))
            for id in open_ids:
                self.world.do(self.world.compute.expire.new(id), EVE)
            assert self.world.market_holds() == 0

    def teardown(self) -> None:
        """All deadlines pass; whatever is open is expired, by a stranger; everybody can leave."""
        if not hasattr(self, "world"):
            return
        self.world.wait(24 * HOUR)
        for id, job in self.jobs.items():
            if job.state in OPEN:
                self._expire(id, DAVE)
        self.states_agree()
        self.money_is_where_the_table_says()
        assert self.world.market_holds() == 0
        assert not list(self.world.compute.open_jobs.items())
        assert not list(self.world.compute.orders.items())
        assert all(not blob.references for blob in self.world.blobs.blobs.values())
        for id, dataset in self.datasets.items():
            if dataset.state == DatasetState.Active:
                self.world.do(self.world.datasets.close.new(id), dataset.owner)
        self.world.wait(ERA)
        for era, dataset_id in sorted(self.world.rewards.fees.keys()):
            self.world.attempt(self.world.rewards.claim.new(era, dataset_id), DAVE)
            self.world.check()


TestJobTable = JobTable.TestCase
TestJobTable.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
