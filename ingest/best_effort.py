"""Observations and statuses on their way: bounded in memory, the oldest go first, and each is counted."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from ingest.outbox import Outgoing
from safecity.bus.port import Acknowledge, BusError, RecordTooLargeError

IN_MEMORY = 5_000
"""Messages kept in memory between two looks of the publisher; above it the oldest are given up."""


class BestEffort:
    """A queue between the thread that analyses and the one that publishes.

    Args:
        given_up: told the topic of each message that had to make room, or was too large.
        published: told the topic of each message that the bus has.
    """

    def __init__(self, given_up: Callable[[str], None], published: Callable[[str], None]) -> None:
        self._given_up, self._published = given_up, published
        self._lock = threading.Lock()
        self._messages: deque[Outgoing] = deque()
        self._under_way: dict[int, Outgoing] = {}
        self._count = 0
        self.trouble: BusError | None = None
        """Why a message that was under way did not arrive; None when all is well."""

    def __len__(self) -> int:
        return len(self._messages) + len(self._under_way)

    def offer(self, message: Outgoing) -> None:
        """Put one in."""
        with self._lock:
            self._messages.append(message)
            self._make_room()

    def take(self) -> list[Outgoing]:
        """All that wait, oldest first; the caller has them now."""
        with self._lock:
            taken = list(self._messages)
            self._messages.clear()
        return taken

    def give_back(self, messages: Sequence[Outgoing]) -> None:
        """Those that could not be handed on, in front of what has come since."""
        with self._lock:
            self._messages.extendleft(reversed(messages))
            self._make_room()

    def send(self, message: Outgoing, publish: Callable[[Acknowledge], None]) -> None:
        """Have a message published, and remember it until the bus has it.

        Raises:
            BusError: of ``publish``; the message is still the caller's.
        """
        with self._lock:
            self._count += 1
            number = self._count
            self._under_way[number] = message
        try:
            publish(partial(self._arrived, number))
        except RecordTooLargeError as error:
            self._arrived(number, error)
        except BusError:
            with self._lock:
                del self._under_way[number]
            raise

    def reclaim(self) -> None:
        """Take back what was under way: whoever had it has been let go of."""
        with self._lock:
            lost, self._under_way = list(self._under_way.values()), {}
            self.trouble = None
        self.give_back(lost)

    def _arrived(self, number: int, error: BusError | None) -> None:
        with self._lock:
            if error is not None and not isinstance(error, RecordTooLargeError):
                self.trouble = error
                return
            message = self._under_way.pop(number, None)
        if message is not None:
            tell = self._published if error is None else self._given_up
            tell(message.topic)

    def _make_room(self) -> None:
        while len(self._messages) > IN_MEMORY:
            self._given_up(self._messages.popleft().topic)
