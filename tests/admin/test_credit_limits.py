"""What each role may give as credit at once, either side of each limit."""

import pytest

from billing.admin.credit_limits import is_within, most_minor
from config.panel.roles import MAY, Role

LIMITS = [
    # role            most that may be given    one cent more
    (Role.VIEWER,     0,                        False),
    (Role.AGENT,      100_00,                   False),
    (Role.LEAD,       1_000_00,                 False),
    (Role.FINANCE,    10_000_000_00,            True),
    (Role.OPERATOR,   0,                        False),
]  # fmt: skip


@pytest.mark.parametrize(("role", "most", "more_is_allowed"), LIMITS)
def test_a_role_gives_up_to_its_limit(role: Role, most: int, more_is_allowed: bool) -> None:
    assert is_within(most, MAY[role]) is (most > 0)
    assert is_within(most + 1, MAY[role]) is more_is_allowed
    assert most_minor(MAY[role]) == (None if more_is_allowed else most)
