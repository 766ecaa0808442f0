"""Products and prices."""

import pytest
import stripe

from .conftest import refused


def test_products(v1):
    product = v1.products.create({"name": "Pro", "id": "pro", "metadata": {"family": "zone"}})
    other = v1.products.create({"name": "Old", "active": False})
    changed = v1.products.update("pro", {"name": "Pro plan", "description": "x"})

    assert product.id == "pro"
    assert (changed.name, changed.metadata.to_dict()) == ("Pro plan", {"family": "zone"})
    assert v1.products.retrieve("pro").description == "x"
    assert [found.id for found in v1.products.list({"active": False}).data] == [other.id]
    assert [found.id for found in v1.products.list({"ids": ["pro"]}).data] == ["pro"]
    assert refused(stripe.InvalidRequestError, v1.products.create, {"name": "x", "id": "pro"}).code == (
        "resource_already_exists"
    )


def test_prices(shop, v1):
    price = shop.price(20_00, "year", lookup_key="pro_yearly", nickname="n", metadata={"a": "1"})
    fee = shop.price(5_00, None)
    changed = v1.prices.update(price.id, {"active": False, "metadata": {"b": "2"}})

    assert (price.recurring.interval, price.type, fee.type) == ("year", "recurring", "one_time")
    assert (changed.active, changed.unit_amount) == (False, 20_00)
    assert v1.prices.retrieve(price.id).metadata.to_dict() == {"a": "1", "b": "2"}
    assert [found.id for found in v1.prices.list({"lookup_keys": ["pro_yearly"]}).data] == [price.id]
    assert [found.id for found in v1.prices.list({"type": "one_time"}).data] == [fee.id]
    assert [found.id for found in v1.prices.list({"product": shop.product.id, "active": False}).data] == [price.id]


def test_a_lookup_key_names_one_price_until_it_is_transferred(shop, v1):
    old = shop.price(20_00, lookup_key="pro")

    refused(stripe.InvalidRequestError, shop.price, 25_00, lookup_key="pro")
    new = shop.price(25_00, lookup_key="pro", transfer_lookup_key=True)

    assert v1.prices.retrieve(old.id).lookup_key is None
    assert [found.id for found in v1.prices.list({"lookup_keys": ["pro"]}).data] == [new.id]


@pytest.mark.parametrize(
    ("said", "unit_amount", "decimal"),
    [
        ({"unit_amount": 0}, 0, "0"),
        ({"unit_amount": 1999}, 1999, "1999"),
        ({"unit_amount_decimal": "0.5"}, None, "0.5"),
        ({"unit_amount_decimal": "1999.00"}, 1999, "1999"),
        ({"unit_amount_decimal": "1000"}, 1000, "1000"),
    ],
)
def test_amounts(shop, v1, said, unit_amount, decimal):
    price = v1.prices.create({"product": shop.product.id, "currency": "usd", **said})

    assert (price.unit_amount, str(price.unit_amount_decimal)) == (unit_amount, decimal)


@pytest.mark.parametrize(
    "said", [{}, {"unit_amount": -1}, {"unit_amount_decimal": "x"}, {"unit_amount": 1, "product": "prod_unknown"}]
)
def test_prices_refuse(shop, v1, said):
    refused(stripe.InvalidRequestError, v1.prices.create, {"product": shop.product.id, "currency": "usd", **said})


def test_a_subscription_takes_recurring_active_prices_of_one_interval(shop, v1):
    customer = shop.customer()
    yearly, fee, retired = shop.price(200_00, "year"), shop.price(5_00, None), shop.price(1_00)
    v1.prices.update(retired.id, {"active": False})

    for items in ([fee], [retired], [shop.pro, yearly], [shop.pro, shop.pro], []):
        refused(stripe.InvalidRequestError, shop.subscribe, customer, *items)
    refused(stripe.InvalidRequestError, shop.subscribe, customer, shop.pro, add_invoice_items=[{"price": shop.pro.id}])
    twenty = [shop.price(1_00 + number) for number in range(21)]
    refused(stripe.InvalidRequestError, shop.subscribe, customer, *twenty)

    items = shop.subscribe(customer, *twenty[:20])["items"]
    assert (len(items.data), items.has_more) == (10, True), "the rest is listed"
    assert sum(1 for _ in items.auto_paging_iter()) == 20
