"""Entitlements: what accounts and their zones may use, and why."""

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account, Zone
from billing.models.objectproducts import Ope
from config.panel.cells import Tone, badge, link, moment, yes_no_or
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page

from .derive import Basis
from .models import Entitlement

BASES = {Basis.FREE: Tone.QUIET, Basis.PAID: Tone.GOOD, Basis.RENEWAL_DUE: Tone.WAITING, Basis.LICENCE: Tone.INFO}


def entitlement_page(row: Entitlement) -> Page:
    """Return the page of one entitlement: what is granted, to whom, and what gives it."""
    return Page(
        title=row.feature,
        subtitle=_basis(row),
        sections=[
            Facts(
                "What is granted",
                [
                    ("Value", yes_no_or(row.value)),
                    ("Form", row.get_allocation_display()),
                    ("Because", row.get_basis_display()),
                    ("Given by", link(Ope, row.source_ope_id, "the OPE that gives it")),
                    ("From", moment(row.valid_from)),
                    ("Until", moment(row.valid_until) if row.valid_until else "something changes it"),
                ],
            ),
        ],
        aside=[
            Facts(
                "To whom",
                [
                    ("Account", link(Account, row.account_id, row.account.name)),
                    ("Zone", _zone(row)),
                    ("Version", row.version),
                    ("Changed", moment(row.changed_at)),
                ],
            ),
        ],
    )


@admin.register(Entitlement)
class EntitlementPanel(ReadOnlyPanel):
    title = "Entitlements"
    page_of = entitlement_page
    list_display = ("feature", "shown_value", "basis_shown", "account_link", "zone", "until")
    list_select_related = ("account",)
    exact_fields = ("account_id", "source_ope_id")
    search_help_text = "Account id or OPE id"
    ordering = ("pk",)

    @admin.display(description="Value")
    def shown_value(self, row: Entitlement) -> str:
        return yes_no_or(row.value)

    @admin.display(description="Because")
    def basis_shown(self, row: Entitlement) -> SafeString:
        return _basis(row)

    @admin.display(description="Account")
    def account_link(self, row: Entitlement) -> SafeString:
        return link(Account, row.account_id, row.account.name)

    @admin.display(description="Of")
    def zone(self, row: Entitlement) -> object:
        return _zone(row)

    @admin.display(description="Until")
    def until(self, row: Entitlement) -> SafeString:
        return moment(row.valid_until)


def _basis(row: Entitlement) -> SafeString:
    return badge(row.get_basis_display(), BASES[Basis(row.basis)])


def _zone(row: Entitlement) -> object:
    return link(Zone, row.zone_id, "one zone") if row.zone_id else "the whole account"
