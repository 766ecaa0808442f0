"""What a change would do and cost: the first three stages, and nothing else."""

from .change_set import ChangeSet
from .gather import gather
from .plan import plan
from .request import ChangeRefused, ChangeRequest
from .validate import validate


def preview(request: ChangeRequest) -> ChangeSet:
    """
    Return the change that `submit` would make of this request now: the very same, to the cent, before tax.

    Reads without a lock and writes nothing; no call to Stripe.

    :raises ChangeRefused: `submit` would refuse it, for these reasons.
    """
    snapshot = gather(request)
    refusals = validate(request, snapshot)
    if refusals:
        raise ChangeRefused(*refusals)
    return plan(request, snapshot)
