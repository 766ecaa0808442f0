"""The state of an OPE: what five signals mean, said twice from one table, and which combinations mean nothing."""

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Account, new_id
from billing.changes_calculator.steps import Step
from billing.models.changes import ChangeWorkflow
from billing.models.objectproducts import Ope
from billing.objectproducts.state import SIGNALS, STATE_SQL, STATES, OpeState, state_of
from tests.guard import unguarded

NOW = datetime(2027, 3, 5, 10, 30, tzinfo=UTC)

DELETED = (None, NOW)
WORKFLOW = (None, "a" * 32)
LICENCES = (
    "sub_1:si_1", "in_1:il_1", "ADMIN:ticket 4711", "USER:free", "CONTRACT:CONTRACT", "PENDING:PENDING",
    # Near misses and things no row can hold: both sides must have the same nothing to say.
    "PENDINGX", "ADMIN", "admin:lower case", "sub-1:si_1", "",
)  # fmt: skip
RANKS = (None, 0, 1, 2, 10)
EVERY_COMBINATION = list(product(DELETED, WORKFLOW, LICENCES, RANKS))


def signals(deleted: Any, workflow: Any, licence: str, rank: int | None) -> dict[str, Any]:
    return {"deleted_date": deleted, "workflow_id": workflow, "license_source_id": licence, "scheduled_rank": rank}


def in_python(combination: tuple[Any, ...]) -> str | None:
    try:
        return state_of(signals(*combination)).value
    except StopIteration:
        return None


MEANINGS = [
    # deleted  workflow    licence              scheduled  state
    (NOW,      None,       "sub_1:si_1",        None,      OpeState.DELETED),
    (NOW,      "a" * 32,   "PENDING:PENDING",   0,         OpeState.DELETED),
    (None,     "a" * 32,   "PENDING:PENDING",   0,         OpeState.CHANGING),
    (None,     "a" * 32,   "sub_1:si_1",        None,      OpeState.CHANGING),
    (None,     None,       "PENDING:PENDING",   0,         OpeState.PENDING),
    (None,     None,       "PENDING:PENDING",   None,      OpeState.PENDING),
    (None,     None,       "sub_1:si_1",        0,         OpeState.CANCEL_SCHEDULED),
    (None,     None,       "ADMIN:ticket",      0,         OpeState.CANCEL_SCHEDULED),
    (None,     None,       "sub_1:si_1",        1,         OpeState.DOWNGRADE_SCHEDULED),
    (None,     None,       "USER:free",         1,         OpeState.DOWNGRADE_SCHEDULED),
    (None,     None,       "ADMIN:ticket",      None,      OpeState.GRANTED),
    (None,     None,       "USER:free",         None,      OpeState.GRANTED),
    (None,     None,       "CONTRACT:CONTRACT", None,      OpeState.GRANTED),
    (None,     None,       "sub_1:si_1",        None,      OpeState.ACTIVE),
    (None,     None,       "in_1:il_1",         None,      OpeState.ACTIVE),
]  # fmt: skip


@pytest.mark.parametrize(("deleted", "workflow", "licence", "rank", "state"), MEANINGS)
def test_what_the_signals_mean(deleted: Any, workflow: Any, licence: str, rank: int | None, state: OpeState) -> None:
    assert state_of(signals(deleted, workflow, licence, rank)) is state


def test_every_state_can_be_reached_and_has_one_row() -> None:
    reached = {in_python(combination) for combination in EVERY_COMBINATION}

    assert reached == {state.value for state in OpeState} | {None}
    assert [state for state, _ in STATES] == list(OpeState)


def test_python_and_sql_agree_over_every_combination(db: None) -> None:
    """The rows stand in a VALUES list, so that those which the table would refuse are compared too."""
    rows, expected = [], []
    for combination in EVERY_COMBINATION:
        deleted, workflow, licence, rank = combination
        phases = [{"rank": 1}] if rank is None else [{"rank": 1}, {"rank": rank}]
        rows += [deleted, workflow, licence, json.dumps(phases)]
        expected.append(in_python(combination))
    values = ", ".join(["(%s::timestamptz, %s::text, %s::text, %s::jsonb)"] * len(EVERY_COMBINATION))

    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {STATE_SQL} FROM (VALUES {values})"  # noqa: S608  both are ours
            " AS ope(deleted_date, workflow_id, license_source_id, value_phases)",
            rows,
        )
        derived = [row[0] for row in cursor.fetchall()]

    assert derived == expected
    assert len(derived) == 2 * 2 * 11 * 5


def test_the_sql_reads_columns_that_the_table_has(db: None) -> None:
    columns = {field.column for field in Ope._meta.concrete_fields}

    assert {"deleted_date", "workflow_id", "license_source_id"} <= columns & set(SIGNALS)
    assert SIGNALS["scheduled_rank"].startswith("(value_phases ")
    assert "value_phases" in columns


def phase(rank: int | None = 1, **extra: Any) -> dict[str, Any]:
    return {"value": "pro", "rank": rank} | extra


@pytest.fixture
def row(db: None) -> dict[str, Any]:
    """The columns of a live OPE that the table accepts."""
    with unguarded():
        account = Account.objects.create(name="owner", created_at=NOW)
    return {
        "account": account, "object_kind": "zone", "object_id": new_id(), "product": "zone_plans", "kind": Ope.Kind.ENUM,
        "subscription_id": new_id(), "value_phases": [phase()], "license_source_id": "sub_1:si_1", "created_date": NOW,
    }  # fmt: skip


def change_of(account: Account) -> ChangeWorkflow:
    return ChangeWorkflow.objects.create(
        account=account, step=Step.PLANNED.value, origin="dashboard", actor="customer:1", request={}, request_digest="d",
        plan={}, requested_at=NOW, next_at=NOW,
    )  # fmt: skip


MEANINGLESS = [
    # what a row may not be                              by constraint
    ({"value_phases": []},                               "ope_has_a_current_value"),
    ({"value_phases": {}},                               "ope_has_a_current_value"),
    ({"value_phases": [{"value": "pro"}]},               "ope_has_a_current_value"),
    ({"value_phases": [phase(), phase(0), phase(0)]},    "ope_has_one_scheduled_value"),
    ({"value_phases": [phase(1), phase(2)]},             "ope_schedules_nothing_larger"),
    ({"value_phases": [phase(0), phase(1)]},             "ope_schedules_nothing_larger"),
    ({"license_source_id": ""},                          "ope_license_source_has_a_known_form"),
    ({"license_source_id": "sub_1"},                     "ope_license_source_has_a_known_form"),
    ({"license_source_id": "ADMIN:"},                    "ope_license_source_has_a_known_form"),
    ({"license_source_id": "PENDING:ELSE"},              "ope_license_source_has_a_known_form"),
    ({"license_source_id": "CONTRACT:1234"},             "ope_license_source_has_a_known_form"),
    ({"license_source_id": "FREE:1"},                    "ope_license_source_has_a_known_form"),
    ({"id": "NOT HEX"},                                  "ope_id_is_hex"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "constraint"), MEANINGLESS)
def test_a_combination_that_means_nothing_is_refused(
    row: dict[str, Any], columns: dict[str, Any], constraint: str
) -> None:
    with unguarded(), pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Ope.objects.create(**row | columns)

    assert not Ope.objects.exists()


ALLOWED = [
    {"value_phases": [phase(1), phase(1)]},
    {"value_phases": [phase(1), phase(0)]},
    {"value_phases": [phase(0)]},
    {"license_source_id": "in_1:il_1"},
    {"license_source_id": "ADMIN:ticket 4711"},
    {"license_source_id": "USER:free"},
    {"license_source_id": "CONTRACT:CONTRACT"},
    {"license_source_id": "PENDING:PENDING"},
    {"deleted_date": NOW},
]


@pytest.mark.parametrize("columns", ALLOWED)
def test_what_means_something_is_kept(row: dict[str, Any], columns: dict[str, Any]) -> None:
    with unguarded():
        Ope.objects.create(**row | columns)

    assert Ope.objects.count() == 1


def test_a_deleted_row_is_held_by_no_change(row: dict[str, Any]) -> None:
    workflow = change_of(row["account"])

    with unguarded(), pytest.raises(IntegrityError, match="ope_deleted_is_not_changing"), transaction.atomic():
        Ope.objects.create(**row, deleted_date=NOW, workflow=workflow)
    with unguarded():
        held = Ope.objects.create(**row | {"value_phases": [full_phase()]}, workflow=workflow)

    assert held.state is OpeState.CHANGING


def test_a_slot_has_one_live_row_and_any_number_of_deleted_ones(row: dict[str, Any]) -> None:
    with unguarded():
        Ope.objects.create(**row, deleted_date=NOW)
        Ope.objects.create(**row, deleted_date=NOW)
        Ope.objects.create(**row)

        with pytest.raises(IntegrityError, match="ope_is_one_per_slot"), transaction.atomic():
            Ope.objects.create(**row)

    assert Ope.objects.count() == 3


def full_phase() -> dict[str, Any]:
    return phase(
        rate_plan_id="pro", price_id="pro_month_v1", stripe_price_id="price_1Pro", interval="month", unit_amount_minor=2500, billed_quantity=1,
        currency="usd", until=None, **{"from": NOW.isoformat()},
    )  # fmt: skip
