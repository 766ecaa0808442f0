"""Who looks at the panel in these tests."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def agent(db: None) -> Client:
    """Somebody who may do everything that anybody may."""
    return signed_in(User.objects.create_superuser("ann", password=None))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
