"""Who is treated how."""

from accounts.models import CONTRACT_TYPES, AccountType
from dunning.policy import POLICY, Treatment


def test_every_account_type_has_its_cell():
    assert POLICY.cells.keys() == set(AccountType.values)
    assert {name for name, cell in POLICY.cells.items() if cell.treatment is Treatment.REMIND} == CONTRACT_TYPES
