"""Several instances of one plan that divide the shards of each batch among threads.

The instances share nothing. Each works on its own shards; then every instance gets the others' slots, and all
take the same optimizer's step. The sums are the module's, over all slots in their order: how many instances
there are changes no bit. wasmtime releases Python's lock while a module runs.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue

import numpy as np

from executor.compiler.plan import Plan, Region
from executor.sandbox import Array, Sandbox

Task = Callable[[], None]
WORTH = 20_000_000
"""Float operations of a step below which handing work around takes longer than doing it."""


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


class Team:
    """One sandbox for the caller, and twins of it that help; used like a `Sandbox`."""

    def __init__(self, plan: Plan, first: Sandbox, helpers: Helpers) -> None:
        self._plan, self._helpers = plan, helpers
        self._boxes = [first, *(first.twin() for _ in range(min(helpers.count, plan.shards - 1)))]
        self.imports = first.imports
        self._shares = _divided(plan.shards, len(self._boxes))
        self._alike = False
        self.fuel_used = 0
        """What one sandbox alone would have used: the plan's own figures, which are exact."""
        assert plan.slots is not None
        self._slots = [box.view(plan.slots) for box in self._boxes]

    def view(self, region: Region) -> Array:
        """The region in the caller's sandbox."""
        return self._boxes[0].view(region)

    def write(self, region: Region, data: bytes) -> None:
        """Fill a region with its bytes."""
        self._boxes[0].write(region, data)

    def call(self, name: str, *arguments: int) -> None:
        """Call "run" or "finish". Raises OutOfFuel, or EnclaveCrashed for any other trap."""
        if name == "run":
            steps, last_rows = arguments
            self._run(steps, last_rows)
            self.fuel_used += self._plan.fuel_of_call(steps)
        else:
            self._boxes[0].call(name, *arguments)
            self.fuel_used += self._plan.fuel_of_finish

    def _run(self, steps: int, last_rows: int) -> None:
        plan = self._plan
        self._share_rows(steps, (steps - 1) * plan.batch + last_rows)

        def work(number: int, step: int) -> Task:
            box, (first, count) = self._boxes[number], self._shares[number]
            rows = plan.batch if step + 1 < steps else last_rows

            def task() -> None:
                if step:
                    box.call("update", step - 1)
                box.call("share", step * plan.batch, rows, first, count)

            return task

        for step in range(steps):
            self._all([work(number, step) for number in range(len(self._boxes))])
            self._exchange()
        self._all([lambda box=box: box.call("update", steps - 1) for box in self._boxes])  # type: ignore[misc]

    def _all(self, tasks: list[Task]) -> None:
        self._helpers.together(tasks[0], tasks[1:])

    def _exchange(self) -> None:
        """Every instance gets the slots that others filled."""
        for number, (first, count) in enumerate(self._shares):
            lines = self._slots[number][first : first + count]
            for other, slots in enumerate(self._slots):
                if other != number:
                    np.copyto(slots[first : first + count], lines)

    def _share_rows(self, steps: int, rows: int) -> None:
        """Give the twins what the host wrote: everything at first, then what changes with each call."""
        plan, (first, *twins) = self._plan, self._boxes
        if not self._alike:
            for twin in twins:
                twin.whole()[:] = first.whole()
            self._alike = True
            return
        for region, count in [
            *((region, rows) for region in plan.rows_regions),
            *((region, steps) for region in (plan.numbers, plan.noise) if region is not None),
        ]:
            source = first.view(region)[:count]
            for twin in twins:
                twin.view(region)[:count] = source


def sandbox_for(plan: Plan, memory: int, fuel: int, helpers: Helpers) -> "Sandbox | Team":
    """One sandbox, or a team where the job has shards and enough work for the helpers."""
    alone = Sandbox(plan, memory, fuel)
    if plan.shards == 1 or not helpers.count or plan.flops < WORTH * plan.steps:
        return alone
    return Team(plan, alone, helpers)


def _divided(shards: int, boxes: int) -> list[tuple[int, int]]:
    """(first, count) of each one's neighbouring shards, as equal as can be."""
    bounds = [shards * number // boxes for number in range(boxes + 1)]
    return [(low, high - low) for low, high in pairwise(bounds)]
