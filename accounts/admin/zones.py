"""Zones: the domains that are served, and what is attached to each."""

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account, Zone
from billing.admin.licence_acts import GRANT_TO_ZONE
from billing.admin.opes import OPE_HEADERS, ope_row, with_state
from billing.models.objectproducts import Ope
from config.panel.cells import Tone, badge, code, link, moment, yes_no_or
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page, Table
from entitlements.models import Entitlement

from .zone_acts import MOVE


def zone_page(zone: Zone) -> Page:
    """Return the page of one zone: what is attached to it and what that lets it use."""
    opes = with_state(Ope.objects.filter(account_id=zone.account_id, object_id=zone.pk)).order_by(
        "deleted_date", "product"
    )
    granted = Entitlement.objects.filter(account_id=zone.account_id, zone_id=zone.pk).order_by("feature")[:200]
    return Page(
        title=zone.name,
        subtitle=_served(zone),
        sections=[
            Table("What it has", OPE_HEADERS, [ope_row(ope) for ope in opes[:100]], "Nothing is attached to it."),
            Table(
                "May use",
                ("Feature", "Value", "Because"),
                [(row.feature, yes_no_or(row.value), row.get_basis_display()) for row in granted],
                "Nothing is granted.",
            ),
        ],
        aside=[
            Facts(
                "Zone",
                [
                    ("Account", link(Account, zone.account_id, zone.account.name)),
                    ("Zone id", code(zone.pk)),
                    ("Added", moment(zone.created_at)),
                    ("Removed", moment(zone.deleted_at)),
                ],
            ),
        ],
    )


@admin.register(Zone)
class ZonePanel(ReadOnlyPanel):
    title = "Zones"
    page_of = zone_page
    acts = (GRANT_TO_ZONE, MOVE)
    list_display = ("name", "served", "account_link", "identifier", "created")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "name")
    search_help_text = "Domain, zone id or account id"
    ordering = ("pk",)

    @admin.display(description="")
    def served(self, zone: Zone) -> SafeString:
        return _served(zone)

    @admin.display(description="Account")
    def account_link(self, zone: Zone) -> SafeString:
        return link(Account, zone.account_id, zone.account.name)

    @admin.display(description="Zone id")
    def identifier(self, zone: Zone) -> SafeString:
        return code(zone.pk)

    @admin.display(description="Added")
    def created(self, zone: Zone) -> SafeString:
        return moment(zone.created_at)


def _served(zone: Zone) -> SafeString:
    return badge("removed", Tone.QUIET) if zone.deleted_at else badge("served", Tone.GOOD)
