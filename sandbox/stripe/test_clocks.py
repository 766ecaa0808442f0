"""Test clocks. The sandbox has one time for everything, so a test clock is a handle on that one clock."""

import time
from typing import Any

from sandbox.world import World

from . import customers
from .errors import invalid
from .events import emit
from .find import find_live, newest
from .ids import new_id
from .lists import page
from .params import PAGE, Params, group, integer, text

Object = dict[str, Any]

KIND = "test_helpers.test_clock"
DELETES_AFTER_SECONDS = 30 * 24 * 60 * 60
# A caller that read the time just before may be a little behind a running clock.
TOLERANCE_SECONDS = 60

CREATE = group({"frozen_time": integer}, name=text)
ADVANCE = group({"frozen_time": integer})
RETRIEVE = group()
DELETE = group()
LIST = group(**PAGE)


def create(world: World, params: Params) -> Object:
    """
    Freeze the sandbox's time, at `frozen_time`.

    :raises StripeRefusal: that is past: the sandbox's clock goes forward only.
    """
    if params["frozen_time"] < world.now() - TOLERANCE_SECONDS:
        raise invalid("`frozen_time` cannot be before the sandbox's time.", param="frozen_time")
    world.clock.freeze(world.clock.now())
    clock = world.add(
        {
            "id": new_id("clock"),
            "object": KIND,
            "created": world.now(),
            "deletes_after": world.now() + DELETES_AFTER_SECONDS,
            "frozen_time": world.now(),
            "livemode": False,
            "name": params.get("name"),
            "status": "ready",
            "status_details": {},
        }
    )
    emit(world, "test_helpers.test_clock.created", clock)
    if params["frozen_time"] > world.now():
        _begin(world, clock, params["frozen_time"])
    return clock


def retrieve(world: World, _params: Params, clock_id: str) -> Object:
    return find_live(world, KIND, clock_id)


def list_clocks(world: World, params: Params) -> Object:
    return page(newest(world, KIND), params, "/v1/test_helpers/test_clocks")


def advance(world: World, params: Params, clock_id: str) -> Object:
    """Begin to move the time; as at Stripe the answer says `advancing`, and `ready` follows."""
    clock = world.edit(find_live(world, KIND, clock_id))
    if clock["status"] != "ready":
        raise invalid("The test clock is already advancing.")
    if params["frozen_time"] <= clock["frozen_time"]:
        raise invalid("`frozen_time` must be after the clock's current time.", param="frozen_time")
    _begin(world, clock, params["frozen_time"])
    return clock


def delete(world: World, _params: Params, clock_id: str) -> Object:
    """Delete a clock with its customers; when it was the last one, time runs on from where it stood."""
    clock = world.edit(find_live(world, KIND, clock_id))
    for customer in list(newest(world, "customer", test_clock=clock_id)):
        customers.delete(world, {}, customer["id"])
    emit(world, "test_helpers.test_clock.deleted", clock)
    clock["deleted"] = True
    if next(newest(world, KIND), None) is None and world.clock.is_frozen:
        world.clock.run_with_offset(world.clock.now() - time.time())
    return clock


def finish_advancing(world: World, clock: Object) -> None:
    """Note that the time a clock was moving to has come."""
    clock = world.edit(clock)
    clock.update(frozen_time=world.now(), status="ready", status_details={})
    emit(world, "test_helpers.test_clock.ready", clock)


def _begin(world: World, clock: Object, to: int) -> None:
    clock.update(status="advancing", status_details={"advancing": {"target_frozen_time": to}})
    emit(world, "test_helpers.test_clock.advancing", clock)
