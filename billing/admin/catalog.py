"""The catalogue: what can be bought, what it gives and what it costs."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from billing.models.catalog import Component, Meter, PlanEntitlement, Price, RatePlan
from config.panel.cells import Tone, amount, badge, code, link, number, yes_no_or
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page, Table


def plan_page(plan: RatePlan) -> Page:
    """Return the page of one plan: its prices past and present, components, features and meters."""
    components = list(Component.objects.filter(rate_plan=plan).order_by("pk"))
    series = {component.price_series for component in components if component.price_series} | {plan.pk}
    prices = Price.objects.filter(series__in=series).order_by("series", "interval", "-version")
    gives = PlanEntitlement.objects.filter(rate_plan=plan).order_by("feature")
    meters = Meter.objects.filter(rate_plan=plan).order_by("pk")
    return Page(
        title=plan.public_name,
        subtitle=badge("contract", Tone.INFO) if plan.is_contract else badge("self-serve", Tone.GOOD),
        sections=[
            Table(
                "Prices",
                ("Price", "Each", "Amount", "On sale", "At Stripe"),
                [_price_row(price) for price in prices],
                "It has no price: it is free or sold by contract.",
            ),
            Table(
                "Components",
                ("Component", "Included", "More of it costs"),
                [
                    (c.name, number(c.included), code(c.price_series) if c.price_series else "not sold")
                    for c in components
                ],
                "It has no countable parts.",
            ),
            Table(
                "What it gives",
                ("Feature", "Value", "Form", "Set"),
                [(g.feature, yes_no_or(g.value), g.get_allocation_display(), g.feature_set) for g in gives],
                "It gives nothing.",
            ),
            Table(
                "Meters",
                ("Meter", "Unit", "Included", "Rounding"),
                [(m.service_name, m.unit, number(m.included), m.rounding) for m in meters],
                "Nothing of it is metered.",
            ),
        ],
        aside=[
            Facts(
                "Plan",
                [
                    ("Id", code(plan.pk)),
                    ("Family", plan.family.name),
                    ("Attached to", plan.get_scope_display()),
                    ("Kind", plan.get_kind_display()),
                    ("Rank", plan.rank if plan.rank is not None else "–"),
                    ("Also known as", ", ".join(plan.public_keys) or "–"),
                ],
            ),
        ],
    )


def price_page(price: Price) -> Page:
    """Return the page of one price: what it is for and the other versions of it."""
    versions = Price.objects.filter(series=price.series, interval=price.interval, currency=price.currency)
    sold_in = RatePlan.objects.filter(Q(pk=price.series) | Q(components__price_series=price.series)).distinct()
    return Page(
        title=price.pk,
        subtitle=_on_sale(price),
        sections=[
            Table(
                "Versions",
                ("Price", "Each", "Amount", "On sale", "At Stripe"),
                [_price_row(version) for version in versions.order_by("-version")],
                "",
            ),
            Table(
                "Sold with",
                ("Plan",),
                [(link(RatePlan, plan.pk, plan.public_name),) for plan in sold_in.order_by("position")],
                "No plan sells it any more.",
            ),
        ],
        aside=[
            Facts(
                "Price",
                [
                    ("Amount", f"{amount(price.unit_amount_minor, price.currency)} a {price.interval}"),
                    ("Version", price.version),
                    ("At Stripe", code(price.stripe_price_id)),
                ],
            ),
        ],
    )


@admin.register(RatePlan)
class RatePlanPanel(ReadOnlyPanel):
    title = "Plans"
    page_of = plan_page
    list_display = ("public_name", "identifier", "family", "scope", "kind", "rank")
    list_select_related = ("family",)
    exact_fields = ("pk", "public_name")
    search_help_text = "Plan id or name"
    ordering = ("position",)

    @admin.display(description="Id")
    def identifier(self, plan: RatePlan) -> SafeString:
        return code(plan.pk)


@admin.register(Price)
class PricePanel(ReadOnlyPanel):
    title = "Prices"
    page_of = price_page
    list_display = ("identifier", "series", "interval", "unit_amount", "version", "on_sale", "at_stripe")
    exact_fields = ("pk", "series", "stripe_price_id")
    search_help_text = "Price id, series or price_…"
    ordering = ("series", "interval", "-version")

    @admin.display(description="Price")
    def identifier(self, price: Price) -> str:
        return price.pk

    @admin.display(description="Amount")
    def unit_amount(self, price: Price) -> SafeString:
        return amount(price.unit_amount_minor, price.currency)

    @admin.display(description="On sale")
    def on_sale(self, price: Price) -> SafeString:
        return _on_sale(price)

    @admin.display(description="At Stripe")
    def at_stripe(self, price: Price) -> SafeString:
        return code(price.stripe_price_id)


def _on_sale(price: Price) -> SafeString:
    return badge("on sale", Tone.GOOD) if price.is_current else badge("no longer", Tone.QUIET)


def _price_row(price: Price) -> Sequence[object]:
    return (
        link(Price, price.pk, price.pk),
        price.interval,
        amount(price.unit_amount_minor, price.currency),
        _on_sale(price),
        code(price.stripe_price_id),
    )
