from dataclasses import replace
from datetime import UTC, datetime

import pytest

from entitlements.derive import Basis, Feature, Owned, Restrictions, derive

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
FEATURES = {
    "free": (Feature("rules", "max_count", 3), Feature("plan", "string", "free")),
    "pro": (Feature("rules", "max_count", 20), Feature("plan", "string", "pro"), Feature("polish", "bool", True)),
    "argo": (Feature("argo", "bool", True),),
}
FREE_PLAN_OF = {"free": "free", "pro": "free"}
FREE = Owned("1", "zone", "free", 0, Basis.FREE, START, None)
PRO = Owned("2", "zone", "pro", 1, Basis.PAID, START, END)
ARGO = Owned("3", "zone", "argo", 1, Basis.PAID, START, END)
RULES = Owned("4", "zone", "pro", 25, Basis.PAID, START, END, counts=("rules", 25))
LICENSED = replace(PRO, basis=Basis.LICENCE, ends_at=None)
CLEAR = Restrictions(has_bad_debt=False, is_banned=False)
IN_DEBT = Restrictions(has_bad_debt=True, is_banned=False)
BANNED = Restrictions(has_bad_debt=False, is_banned=True)

TABLE = [
    # owned                 restrictions  what may be used
    ((),                    CLEAR,    {}),
    ((FREE,),               CLEAR,    {"rules": 3,  "plan": "free"}),
    ((PRO,),                CLEAR,    {"rules": 20, "plan": "pro", "polish": True}),
    ((PRO, FREE),           CLEAR,    {"rules": 20, "plan": "pro", "polish": True}),
    ((PRO, ARGO),           CLEAR,    {"rules": 20, "plan": "pro", "polish": True, "argo": True}),
    ((RULES, PRO),          CLEAR,    {"rules": 25, "plan": "pro", "polish": True}),
    ((replace(RULES, counts=("rules", 19)), PRO), CLEAR, {"rules": 20, "plan": "pro", "polish": True}),
    ((RULES,),              CLEAR,    {}),
    ((FREE,),               BANNED,   {"rules": 3,  "plan": "free"}),
    ((PRO,),                BANNED,   {"rules": 3,  "plan": "free"}),
    ((PRO,),                IN_DEBT,  {"rules": 3,  "plan": "free"}),
    ((PRO, ARGO, RULES),    IN_DEBT,  {"rules": 3,  "plan": "free"}),
    ((LICENSED,),           CLEAR,    {"rules": 20, "plan": "pro", "polish": True}),
    ((LICENSED,),           BANNED,   {"rules": 3,  "plan": "free"}),
]  # fmt: skip


@pytest.mark.parametrize(("owned", "restrictions", "usable"), TABLE)
def test_derive(owned, restrictions, usable):
    grants = derive(owned, restrictions, FEATURES, FREE_PLAN_OF)

    assert {feature: grant.value for (_, feature), grant in grants.items()} == usable


def test_zones_are_kept_apart():
    grants = derive((FREE, replace(PRO, zone_id="other")), CLEAR, FEATURES, FREE_PLAN_OF)

    assert grants["zone", "plan"].value == "free"
    assert grants["other", "plan"].value == "pro"


def test_a_grant_names_its_source_and_how_long_it_holds():
    grant = derive((PRO,), CLEAR, FEATURES, FREE_PLAN_OF)["zone", "polish"]

    assert (grant.source_ope_id, grant.basis, grant.valid_from, grant.valid_until) == ("2", Basis.PAID, START, END)
