"""Where threads that share a step's work wait for one another."""

from queue import SimpleQueue


class Deserted(Exception):
    """Another thread has failed and will not come."""


class Meeting:
    """Each of `count` threads tells the others that it has come so far, and waits until they have, too.

    Good for any number of turns as long as no thread tells again before all others have waited: two meetings
    used alternately see to that. Queues rather than polling: a thread that polls takes Python's lock from the
    one it waits for.
    """

    def __init__(self, count: int) -> None:
        self._told: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(count)]

    def tell(self, number: int) -> None:
        """Thread `number` has come."""
        self._put(number, True)

    def wait(self, number: int) -> None:
        """Until all others have come. Raises Deserted if one never will."""
        for _ in range(len(self._told) - 1):
            if not self._told[number].get():
                raise Deserted

    def leave(self, number: int) -> None:
        """Thread `number` will not come any more."""
        self._put(number, False)

    def _put(self, number: int, comes: bool) -> None:
        for other, queue in enumerate(self._told):
            if other != number:
                queue.put(comes)
