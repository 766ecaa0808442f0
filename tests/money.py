"""What must hold of an account's money at the end of any story."""

from accounts.models import Account
from billing.invoicing.check_ledger import check_ledger


def nothing_differs(account: Account) -> bool:
    """Return True when no check of the ledger finds anything about this account; fails with what it found."""
    found = [finding for _, findings in check_ledger() for finding in findings if finding.account_id == account.pk]
    assert found == []
    return True
