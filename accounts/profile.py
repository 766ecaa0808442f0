"""The billing profile's writer: who pays, where notices go, and as what type the account is treated."""

from collections.abc import Collection, Sequence
from datetime import datetime

from . import journal
from .lock import account_lock
from .models import AccountType, SubsAccount


def open_profile(
    account_id: str, *, email: str, language: str | None = None, account_type: AccountType = AccountType.PAY_GO
) -> SubsAccount:
    """Write the profile of a new account; the caller holds its lock and writes the journal entry."""
    return SubsAccount.objects.create(account_id=account_id, email=email, language=language, account_type=account_type)


def set_product_sets(account_id: str, sets: Collection[str], *, actor: str, now: datetime) -> None:
    """Let an account buy the plans of these sets that are not sold to everybody, and of no others. Safe to repeat."""
    wanted = sorted(set(sets))
    with account_lock(account_id):
        profile = SubsAccount.objects.get(account=account_id)
        before = sorted(profile.product_sets or ())
        if before != wanted:
            SubsAccount.objects.filter(account=account_id).update(product_sets=wanted)
            fact = journal.Fact(
                "account.access_changed", account_id, actor, before={"sets": before}, after={"sets": wanted}
            )
            journal.emit(fact, at=now)


def set_account_type(
    account_id: str, account_type: AccountType, *, actor: str, reason: str = "", now: datetime
) -> None:
    """Say as what type an account is treated when it owes; the brain looks at it again. Safe to repeat."""
    with account_lock(account_id):
        before = SubsAccount.objects.values_list("account_type", flat=True).get(account=account_id)
        if before != account_type:
            SubsAccount.objects.filter(account=account_id).update(account_type=account_type)
            fact = journal.Fact(
                "account.type_changed",
                account_id,
                actor,
                reason=reason,
                before={"type": str(before)},
                after={"type": str(account_type)},
            )
            journal.emit(fact, at=now)


def set_buyer(account_id: str, *, company: str, tax_id: str, actor: str, reason: str = "", now: datetime) -> None:
    """
    Say which company is billed and its tax id, as they stand on papers; empty: none. Safe to repeat.

    The journal has which of the two changed, not what they are: a company may be a person.
    """
    wanted = {"company": " ".join(company.split()), "tax_id": " ".join(tax_id.upper().split())}
    with account_lock(account_id):
        before = SubsAccount.objects.filter(account=account_id).values(*wanted).get()
        changed = [name for name in wanted if before[name] != wanted[name]]
        if changed:
            SubsAccount.objects.filter(account=account_id).update(**wanted)
            fact = journal.Fact("account.buyer_changed", account_id, actor, reason=reason, after={"fields": changed})
            journal.emit(fact, at=now)


def forget_buyer(account_ids: Sequence[str]) -> None:
    """Have nobody stand on these accounts' papers; the caller holds the locks and tells the journal."""
    SubsAccount.objects.filter(account__in=account_ids).update(company="", tax_id="")


def forget_address(email: str, account_ids: Sequence[str]) -> None:
    """Have these accounts' bills go nowhere if they go to `email`; the caller holds the locks and tells the journal."""
    SubsAccount.objects.filter(account__in=account_ids, email=email).update(email="")
