"""Search: queries that fit, queries that cannot be read."""

import pytest
import stripe

from .conftest import refused


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email:'a@example.com'", "a"),
        ("metadata['account']:'2'", "b"),
        ('metadata["account"]:"2"', "b"),
        ("name~'eatr'", "b"),
        ("-email:'a@example.com'", "cb"),
        ("email:'a@example.com' OR metadata['account']:'2'", "ba"),
        ("email:'b@example.com' AND metadata['account']:'1'", ""),
        ("created>0 AND name:'Ada'", "a"),
        ("created<1", ""),
        ("email:null", "c"),
    ],
)
def test_customers_are_found(v1, query, found):
    made = {
        "a": v1.customers.create({"email": "a@example.com", "name": "Ada", "metadata": {"account": "1"}}).id,
        "b": v1.customers.create({"email": "b@example.com", "name": "Beatrice", "metadata": {"account": "2"}}).id,
        "c": v1.customers.create({}).id,
    }

    result = v1.customers.search({"query": query})

    assert [customer.id for customer in result.data] == [made[name] for name in found]


@pytest.mark.parametrize(
    "query", ["", "email", "email:", "email:'a", "a:'b' c:'d'", "a:'b' AND c:'d' OR e:'f'", "a:'b' AND"]
)
def test_queries_that_cannot_be_read_are_refused(v1, query):
    refused(stripe.InvalidRequestError, v1.customers.search, {"query": query})


def test_subscriptions_and_invoices_are_found_page_by_page(shop):
    customer = shop.customer()
    made = [shop.subscribe(customer, shop.pro, metadata={"zone": str(number)}) for number in range(3)]

    page = shop.v1.subscriptions.search({"query": "status:'active'", "limit": 2})
    rest = shop.v1.subscriptions.search({"query": "status:'active'", "limit": 2, "page": page.next_page})
    invoices = shop.v1.invoices.search({"query": f"subscription:'{made[0].id}' AND total>0"})

    assert [found.id for found in (*page.data, *rest.data)] == [one.id for one in reversed(made)]
    assert (page.has_more, rest.has_more, rest.next_page) == (True, False, None)
    assert [invoice.id for invoice in invoices.data] == [made[0].latest_invoice]
