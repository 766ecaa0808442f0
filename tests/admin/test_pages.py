"""Every page of the panel: what it shows, what it hides, what it costs."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.admin import world
from tests.counting import count_statements

pytestmark = pytest.mark.django_db

# Statements, the two of the login (session and user) counted in.
PAGE_BUDGET, LIST_BUDGET, SEARCH_BUDGET = 15, 6, 3 + 2


@pytest.fixture
def agent() -> Iterator[Client]:
    client = Client()
    client.force_login(User.objects.create_superuser("ann", password=None))
    return client


@pytest.mark.parametrize("plans", [1, 40])
def test_an_account_page_costs_the_same_whatever_the_account_owns(agent: Client, plans: int) -> None:
    account = world.account_with_everything(plans=plans)
    address = reverse("admin:accounts_account_change", args=[account.pk])

    with count_statements() as statements:
        response = agent.get(address)

    assert response.status_code == 200
    assert len(statements) <= PAGE_BUDGET, "\n".join(statements)
