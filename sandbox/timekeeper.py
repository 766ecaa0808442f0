"""Work off the agenda when its time comes: by the running clock, or on the way when the clock is moved."""

import sys
import threading
import traceback

from .clock import ClockMovesForwardOnly
from .stripe import test_clocks
from .stripe.acts import ACTS
from .world import World

LONGEST_NAP_SECONDS = 0.5


class Timekeeper(threading.Thread):
    """Look at the agenda whenever something changed, and at least twice a second."""

    def __init__(self, world: World) -> None:
        super().__init__(name="timekeeper", daemon=True)
        self.world = world
        self.waker = threading.Event()
        self.stopping = False
        world.wakers.append(self.waker)

    def run(self) -> None:
        while not self.stopping:
            do_what_is_due(self.world)
            advance_test_clocks(self.world)
            self.waker.wait(LONGEST_NAP_SECONDS)
            self.waker.clear()

    def stop(self) -> None:
        self.stopping = True
        self.waker.set()
        self.join(timeout=5)


def do_what_is_due(world: World) -> None:
    """Do everything that is due by now, earliest first, each act in a transaction of its own."""
    with world.lock:
        while (entry := world.agenda.next()) is not None and entry["due_at"] <= world.clock.now():
            _do(world, entry["act"], entry["object_id"])


def advance_test_clocks(world: World) -> None:
    """Move the time to where a test clock is going."""
    with world.lock:
        for clock in world.documents.oldest_first(test_clocks.KIND):
            if clock.get("status") == "advancing":
                advance(world, max(clock["status_details"]["advancing"]["target_frozen_time"], world.clock.now()))
                with world.transaction():
                    test_clocks.finish_advancing(world, clock)


def advance(world: World, to: float) -> None:
    """
    Move the clock to a later time and do on the way what falls due, each act at its own time.

    :raises ClockMovesForwardOnly: `to` is past; nothing was done.
    """
    with world.lock:
        if to < world.clock.now() - 1:
            raise ClockMovesForwardOnly(f"the clock stands at {world.clock.now()}, {to} is earlier")
        while (entry := world.agenda.next()) is not None and entry["due_at"] <= to:
            world.clock.move_to(max(entry["due_at"], world.clock.now()))
            _do(world, entry["act"], entry["object_id"])
        world.clock.move_to(max(to, world.clock.now()))
    world.wake()


def _do(world: World, act: str, object_id: str) -> None:
    """Do one act and strike it off in the same transaction; one that breaks is told and struck off all the same."""
    try:
        with world.transaction():
            world.agenda.drop(act, object_id)
            ACTS[act](world, object_id)
    except Exception:  # noqa: BLE001  (a bug in one act must not stop the clock)
        traceback.print_exc(file=sys.stderr)
        with world.transaction():
            world.agenda.drop(act, object_id)
