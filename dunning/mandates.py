"""The only writer of `subs_mandate`: what customers authorised for later, as the processor tells of it."""

from datetime import datetime
from typing import Any

from accounts import journal
from accounts.lock import holds_lock
from billing.models.mandates import Mandate
from billing.models.methods import PaymentMethod

Status = Mandate.Status

# The processor's words. It does not say whether one that is not active any more was revoked or has expired.
STATUS_OF = {"active": Status.ACTIVE, "pending": Status.PENDING, "inactive": Status.REVOKED}
SUCCEEDED = "succeeded"


def follow(raw: dict[str, Any], *, account_id: str, now: datetime) -> bool:
    """
    Record a mandate as it is now; False if that is known, or its method is not.

    A revoked one predicts that the next charge fails: the brain hears of it, and asks the customer first. In the
    caller's transaction under the account's lock; safe to repeat.
    """
    return _write(account_id, raw["id"], _method_id(raw), STATUS_OF[raw["status"]], now=now)


def confirmed(raw: dict[str, Any], *, account_id: str, now: datetime) -> bool:
    """
    Record that the customer confirmed a method for later charges, by a setup intent; False if that is known.

    Where the intent made no mandate of its own, as for cards, it stands for one.
    """
    if raw["status"] != SUCCEEDED:
        return False
    mandate = raw.get("mandate")
    mandate_id = mandate["id"] if isinstance(mandate, dict) else mandate or raw["id"]
    return _write(account_id, mandate_id, _method_id(raw), Status.ACTIVE, now=now)


def _method_id(raw: dict[str, Any]) -> str:
    method = raw.get("payment_method")
    return str(method["id"] if isinstance(method, dict) else method or "")


def _write(account_id: str, mandate_id: str, processor_id: str, status: Mandate.Status, *, now: datetime) -> bool:
    assert holds_lock(account_id)
    method = PaymentMethod.objects.filter(account=account_id, processor_id=processor_id).first()
    if method is None:
        return False  # it was never stored here; when it is, it is new, and that is news enough
    known = Mandate.objects.filter(processor_mandate_id=mandate_id).first()
    if known is not None and known.status == status:
        return False
    columns = {"status": status, "changed_at": now, **({"active_since": now} if status == Status.ACTIVE else {})}
    Mandate.objects.update_or_create(
        processor_mandate_id=mandate_id,
        defaults=columns,
        create_defaults={"account_id": account_id, "method": method, **columns},
    )
    after = {"mandate_id": mandate_id, "payment_method_id": method.pk, "status": status}
    journal.emit(journal.Fact("mandate.updated", account_id, "system:pipe", after=after), at=now)
    return True
