"""Several instances of one plan that divide the shards of each batch among threads.

Each instance works in a memory of its own; what they have in common is one piece of memory in all of them:
the rows of a call, which they read, a slot for each shard's gradients, and how far they have come. Whoever is
free takes the next shard, so that a core which is disturbed takes fewer. When all slots are filled, each
instance adds up all of them in their order and takes the same optimizer's step: neither how many there are
nor who worked on what changes a bit. A thread stays in the module through all steps of a call, so that none
waits for Python's lock; what another has not done yet, it looks for again and again, and after some time from
here, with pauses.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from executor.compiler.plan import Plan, Region
from executor.compiler.program import SPINS
from executor.errors import OutOfFuel
from executor.sandbox import Array, Sandbox

Task = Callable[[], None]
WORTH = 30_000_000
"""Float operations of a step below which handing work around takes longer than doing it."""
FUEL_OF_SPIN = 16
"""More than one look for another instance takes."""
PAUSE, PAUSE_MAX = 20e-6, 2e-3
"""Seconds that an instance sleeps which has looked for another in vain: the 16th part of what it has waited,
no less and no more. It does not yield: the system takes that for a turn given away; a sleeper goes first."""


class Helpers:
    """Threads that wait for work. They are started before the process gives up the right to start any."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._to: list[SimpleQueue[Task]] = [SimpleQueue() for _ in range(count)]
        self._done: list[SimpleQueue[BaseException | None]] = [SimpleQueue() for _ in range(count)]
        for number in range(count):
            threading.Thread(target=self._serve, args=(number,), daemon=True).start()

    def _serve(self, number: int) -> None:
        while True:
            task = self._to[number].get()
            try:
                task()
            except BaseException as error:  # the caller raises it
                self._done[number].put(error)
            else:
                self._done[number].put(None)

    def together(self, own: Task, others: Sequence[Task]) -> None:
        """Run `own` here and each other task in a thread; returns when all have ended, or raises the first
        error."""
        errors: list[BaseException | None] = []
        for queue, task in zip(self._to, others, strict=False):
            queue.put(task)
        try:
            own()
        except BaseException as error:
            errors.append(error)
        errors += [queue.get() for queue, _ in zip(self._done, others, strict=False)]
        first = next((error for error in errors if error is not None), None)
        if first is not None:
            raise first


class Deserted(Exception):
    """Another instance has failed and will not come."""


class Team:
    """One sandbox for the caller, and twins of it that help; used like a `Sandbox`."""

    def __init__(
        self, plan: Plan, first: Sandbox, twins: Sequence[Sandbox], fuel: int, helpers: Helpers
    ) -> None:
        """`first` and the twins share their first pages already; see `team_of`."""
        self._plan, self._helpers, self._fuel = plan, helpers, fuel
        self._boxes = [first, *twins]
        self.imports = first.imports
        self._alike = self._deserted = False
        self.fuel_used = 0
        """What one sandbox alone would have used: the plan's own figures, which are exact."""
        assert plan.progress is not None
        self._progress = first.view(plan.progress)[: 2 + len(self._boxes), 0]

    def view(self, region: Region) -> Array:
        """The region in the caller's sandbox."""
        return self._boxes[0].view(region)

    def write(self, region: Region, data: bytes) -> None:
        """Fill a region with its bytes."""
        self._boxes[0].write(region, data)

    def call(self, name: str, *arguments: int) -> None:
        """Call "run" or "finish". Raises OutOfFuel, or EnclaveCrashed for any other trap."""
        used = self._plan.fuel_of_call(arguments[0]) if name == "run" else self._plan.fuel_of_finish
        if self.fuel_used + used > self._fuel:
            raise OutOfFuel(f"the job used up its {self._fuel} units of fuel")
        if name == "run":
            steps, last_rows = arguments
            self._run(steps, last_rows)
        else:
            self._boxes[0].refuel(used)
            self._boxes[0].call(name, *arguments)
        self.fuel_used += used

    def _run(self, steps: int, last_rows: int) -> None:
        if not self._alike:
            first, *twins = (box.whole()[self._plan.shared :] for box in self._boxes)
            for twin in twins:
                twin[:] = first
            self._alike = True
        self._progress[:] = 0

        def work(number: int) -> Task:
            def task() -> None:
                try:
                    self._work(number, steps, last_rows)
                except Deserted:
                    pass  # the one that left says why
                except BaseException:
                    self._deserted = True
                    raise

            return task

        own, *others = [work(number) for number in range(len(self._boxes))]
        self._helpers.together(own, others)

    def _work(self, number: int, steps: int, last_rows: int) -> None:
        """One instance's part of a call. When it has waited for some time it comes back, and goes in again:
        the longer nobody gets on, the later."""
        box, of = self._boxes[number], len(self._boxes)
        fuel = self._plan.fuel_of_call(steps) + 2 * steps * of * SPINS * FUEL_OF_SPIN
        updated = self._progress[2:]
        waiting = seen = -1.0
        while True:
            box.refuel(fuel)
            box.call("work", number, of, steps, last_rows)
            if updated[number] >= steps:
                return
            if self._deserted:
                raise Deserted
            now = time.monotonic()
            if (come := int(self._progress.sum())) != seen:
                waiting, seen = now, come
            time.sleep(min(max((now - waiting) / 16, PAUSE), PAUSE_MAX))


def team_of(plan: Plan, first: Sandbox, fuel: int, helpers: Helpers) -> Team | None:
    """A team for the plan, led by a sandbox that has not run yet; None where memory cannot be shared."""
    twins = [first.twin() for _ in range(min(helpers.count, plan.shards - 1))]
    if not first.share(twins, plan.shared):
        return None
    return Team(plan, first, twins, fuel, helpers)


def sandbox_for(plan: Plan, memory: int, fuel: int, helpers: Helpers) -> "Sandbox | Team":
    """One sandbox, or a team where the job has shards and enough work for the helpers."""
    alone = Sandbox(plan, memory, fuel)
    if plan.shards == 1 or not helpers.count or plan.flops < WORTH * plan.steps:
        return alone
    return team_of(plan, alone, fuel, helpers) or alone
