"""The billing profile's writer: who pays, where notices go, and as what type the account is treated."""

from collections.abc import Sequence

from .models import AccountType, SubsAccount


def open_profile(
    account_id: str, *, email: str, language: str | None = None, account_type: AccountType = AccountType.PAY_GO
) -> SubsAccount:
    """Write the profile of a new account; the caller holds its lock and writes the journal entry."""
    return SubsAccount.objects.create(account_id=account_id, email=email, language=language, account_type=account_type)


def forget_address(email: str, account_ids: Sequence[str]) -> None:
    """Have these accounts' bills go nowhere if they go to `email`; the caller holds the locks and tells the journal."""
    SubsAccount.objects.filter(account__in=account_ids, email=email).update(email="")
