"""Whether a stored method may be charged while its customer is away, as far as its mandates say."""

from datetime import datetime

from django.db.models import Max, OuterRef, QuerySet, Subquery

from ..models.mandates import Mandate
from ..models.methods import PaymentMethod


def with_mandates(methods: "QuerySet[PaymentMethod]") -> "QuerySet[PaymentMethod]":
    """Add what `is_authorised` and `usable_since` read, in the same statement."""
    newest = Mandate.objects.filter(method=OuterRef("pk")).order_by("-changed_at", "-pk")
    return methods.annotate(
        mandate_status=Subquery(newest.values("status")[:1]), active_since=Max("mandates__active_since")
    )


def is_authorised(method: PaymentMethod) -> bool:
    """Return whether its newest mandate is active; one that has none is charged as it is."""
    return getattr(method, "mandate_status") in (None, Mandate.Status.ACTIVE)  # noqa: B009  an annotation


def changed_at(method: PaymentMethod) -> datetime | None:
    """Return when something about it last changed that a declined charge may go through since: details, mandate."""
    active_since: datetime | None = getattr(method, "active_since")  # noqa: B009  an annotation
    return max((at for at in (method.updated_at, active_since) if at is not None), default=None)
