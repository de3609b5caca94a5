"""Several instances of one plan that divide the shards of each batch among threads.

The instances share nothing. Each works on its own shards; then it copies the others' slots, and all take the
same optimizer's step. A thread goes through all steps of a call; at each it meets the others twice. The sums
are the module's, over all slots in their order: how many instances there are changes no bit. wasmtime
releases Python's lock while a module runs.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue

import numpy as np

from executor.compiler.plan import Plan, Region
from executor.meeting import Deserted, Meeting
from executor.sandbox import Array, Sandbox

Task = Callable[[], None]
WORTH = 30_000_000
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
        by_row, by_step = plan.rows_regions, [item for item in (plan.numbers, plan.noise) if item]
        self._by_row, self._by_step = (
            [[box.view(region) for region in regions] for box in self._boxes] for regions in (by_row, by_step)
        )

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
        if not self._alike:
            first, *twins = (box.whole() for box in self._boxes)
            for twin in twins:
                twin[:] = first
            self._alike = True
        filled, taken = Meeting(len(self._boxes)), Meeting(len(self._boxes))

        def work(number: int) -> Task:
            def task() -> None:
                try:
                    self._work(number, steps, last_rows, filled, taken)
                except Deserted:
                    pass  # the one that left says why
                except BaseException:
                    filled.leave(number)
                    taken.leave(number)
                    raise

            return task

        own, *others = [work(number) for number in range(len(self._boxes))]
        self._helpers.together(own, others)

    def _work(self, number: int, steps: int, last_rows: int, filled: Meeting, taken: Meeting) -> None:
        """One instance's part of a call: at each step its own shards, the other slots, the update. Nobody
        goes on to the next shards before all have taken what the last ones filled."""
        box, (first, count), batch = self._boxes[number], self._shares[number], self._plan.batch
        if number:
            self._take_rows(number, steps, (steps - 1) * batch + last_rows)
        for step in range(steps):
            rows = batch if step + 1 < steps else last_rows
            box.call("share", step * batch, rows, first, count)
            filled.tell(number)
            filled.wait(number)
            self._take_slots(number)
            taken.tell(number)
            box.call("update", step)
            taken.wait(number)

    def _take_rows(self, number: int, steps: int, rows: int) -> None:
        """What the host wrote into the caller's instance for this call; there, it is only read meanwhile."""
        for count, regions in ((rows, self._by_row), (steps, self._by_step)):
            for source, target in zip(regions[0], regions[number], strict=True):
                np.copyto(target[:count], source[:count])

    def _take_slots(self, number: int) -> None:
        """The slots that others filled."""
        for other, (first, count) in enumerate(self._shares):
            if other != number:
                lines = slice(first, first + count)
                np.copyto(self._slots[number][lines], self._slots[other][lines])


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
