"""A year of both billing clocks under each fault there is."""

import pytest

from tests.stories.test_renewals_under_faults import FAULTS, faults, thirteen_months_under

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url", "faults")

__all__ = ["faults"]  # a fixture


def test_thirteen_months_end_the_same_under_each_fault(clock, sandbox, report):
    for fault in FAULTS:
        thirteen_months_under(fault, clock=clock, sandbox=sandbox)

    report(
        "Monthly and yearly, bought on 31 January, for thirteen months, with each of these on for two monthly renewals, "
        "and a year later for the yearly one: every invoice dated, priced and paid as without it, every invariant held.",
        table=(
            ("fault", "how"),
            *((f["kind"], ", ".join(f"{k} {v}" for k, v in f.items() if k != "kind")) for f in FAULTS),
        ),
    )
