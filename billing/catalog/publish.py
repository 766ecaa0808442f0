"""Publish the catalogue: our tables and Stripe's products and prices, in an order that a crash can't spoil."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import journal

from ..cfstripe import products
from ..changes_calculator.credited import CREDIT_PRODUCT
from ..models.catalog import CatalogVersion, Price
from .load import Publication, activate, digest_of, stage_prices


def publish(catalog: dict[str, Any], *, actor: str, now: datetime) -> Publication:
    """
    Put `catalog` on sale and return what changed; publishing the same file again does nothing.

    New prices are written down first, then made at Stripe, and only then does everything go on sale in one
    transaction: whatever stops in between, repeating goes on from there, and customers see the old or the new.

    :raises CatalogError: the file is wrong; nothing was written.
    """
    staged = stage_prices(catalog, actor=actor, now=now)
    _publish_prices([price for price in staged if not price.stripe_price_id], catalog, actor=actor, now=now)
    newest = CatalogVersion.objects.order_by("-pk").first()
    if newest and newest.digest == digest_of(catalog):
        return Publication(newest.pk)
    return activate(catalog, staged, actor=actor, now=now)


def _publish_prices(prices: list[Price], catalog: dict[str, Any], *, actor: str, now: datetime) -> None:
    """Make these prices at Stripe, but for those of 0: what costs nothing is never billed there."""
    billed = [price for price in prices if price.unit_amount_minor > 0]
    if not billed:
        return
    names = {plan["id"]: plan["public_name"] for plan in catalog["rate_plans"]}
    products.ensure_product(CREDIT_PRODUCT, name="Credit")
    found = products.find_prices([price.pk for price in billed])
    for series in {price.series for price in billed if price.pk not in found}:
        products.ensure_product(f"paygo_{series}", name=names.get(series) or series.replace("_", " ").capitalize())
    made = {
        price.pk: found.get(price.pk)
        or products.create_price(
            price.pk,
            product_id=f"paygo_{price.series}",
            currency=price.currency,
            unit_amount_minor=price.unit_amount_minor,
            interval=price.interval,
        )
        for price in billed
    }
    with transaction.atomic():
        for price in billed:
            price.stripe_price_id = made[price.pk]
        Price.objects.bulk_update(billed, ["stripe_price_id"])
        journal.emit(journal.Fact("catalog.prices_mapped", None, actor, after=dict(made)), at=now)
