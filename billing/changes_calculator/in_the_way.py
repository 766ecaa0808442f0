"""Which unfinished changes a request meets, and which of them it may take the place of. Pure."""

from .request import ChangeRequest
from .snapshot import Snapshot, Waiting
from .wish import Wish, consider


def in_the_way(request: ChangeRequest, snapshot: Snapshot) -> tuple[Waiting, ...]:
    """Return the changes that hold an object or a clock of the request, but for one that wants the very same."""
    wanted = {resource for wish in consider(request, snapshot) for resource in _wanted(wish)}
    digest = request.digest()
    return tuple(waits for waits in snapshot.waiting if waits.resources & wanted and waits.request_digest != digest)


def is_refused_by(waits: Waiting, request: ChangeRequest) -> bool:
    """
    Whether the request has to wait for this change.

    One that waits for its customer is given up for a request that says so; one that is being made this moment may
    be paid already.
    """
    return not (request.supersedes and waits.is_for_customer)


def _wanted(wish: Wish) -> set[str]:
    wanted = {f"object:{wish.want.object_id}", f"clock:{wish.interval}"}
    if wish.moves_to is not None and wish.element is not None:
        wanted.add(f"clock:{wish.element.current.interval}")
    return wanted
