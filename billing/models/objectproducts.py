"""Object Products Element (OPE): one product component attached to a billable object."""

from django.db import models
from django.db.models import IntegerField, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.db.models.lookups import LessThanOrEqual

from accounts.models import Account, is_hex_id, new_id

from ..objectproducts.phases import Phase
from ..objectproducts.state import OpeState, state_of

LICENSE_SOURCE = r"^(sub_[^:]+:si_.+|in_[^:]+:il_.+|ADMIN:.+|USER:.+|CONTRACT:CONTRACT|PENDING:PENDING)$"


def _rank(phase: int) -> Cast:
    return Cast(KT(f"value_phases__{phase}__rank"), IntegerField())


class Ope(models.Model):
    """
    What an account owns, one component per row; written by `changes_calculator/sync_save.py` alone.

    The row has no status: `objectproducts/state.py` derives it from `deleted_date`, `value_phases`,
    `license_source_id` and `workflow`.
    """

    class Kind(models.TextChoices):
        ENUM = "enum", "a tier with a rank, or an add-on"
        SUM = "sum", "a count"
        USAGE = "usage", "metered"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="opes")
    object_kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in ("zone", "account", "domain")])
    object_id = models.CharField(max_length=32, help_text="the zone's, the account's or the domain's id")
    product = models.CharField(max_length=60, help_text="the slot it fills: a plan family, an add-on or a component")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subscription_id = models.CharField(
        max_length=32, db_index=True, help_text="what the public API calls a subscription: a plan and its components"
    )
    value_phases = models.JSONField(help_text="[now] or [now, from the next period]; see objectproducts/phases.py")
    license_source_id = models.CharField(max_length=200, help_text="who bills it: sub_X:si_Y, ADMIN:…, USER:…, …")
    workflow = models.ForeignKey("billing.ChangeWorkflow", on_delete=models.PROTECT, null=True, blank=True)
    created_date = models.DateTimeField()
    deleted_date = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subs_object_products_element"
        verbose_name = "OPE"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="ope_id_is_hex"),
            models.CheckConstraint(
                condition=Q(license_source_id__regex=LICENSE_SOURCE), name="ope_license_source_has_a_known_form"
            ),
            models.CheckConstraint(condition=Q(value_phases__0__rank__isnull=False), name="ope_has_a_current_value"),
            models.CheckConstraint(condition=Q(value_phases__2__isnull=True), name="ope_has_one_scheduled_value"),
            models.CheckConstraint(
                condition=Q(value_phases__1__isnull=True) | Q(LessThanOrEqual(_rank(1), _rank(0))),
                name="ope_schedules_nothing_larger",
            ),
            models.CheckConstraint(
                condition=Q(deleted_date__isnull=True) | Q(workflow__isnull=True), name="ope_deleted_is_not_changing"
            ),
            models.UniqueConstraint(
                fields=["object_id", "product"], condition=Q(deleted_date__isnull=True), name="ope_is_one_per_slot"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} = {self.current.value}"

    @property
    def current(self) -> Phase:
        return Phase.from_json(self.value_phases[0])

    @property
    def scheduled(self) -> Phase | None:
        return Phase.from_json(self.value_phases[1]) if len(self.value_phases) > 1 else None

    @property
    def state(self) -> OpeState:
        return state_of(
            {
                "deleted_date": self.deleted_date,
                "workflow_id": self.workflow_id,
                "license_source_id": self.license_source_id,
                "scheduled_rank": self.scheduled.rank if self.scheduled else None,
            }
        )
