"""Who works with NinjaPanel: people with a password and a role."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, User

from .panel.roles import Role


@dataclass(frozen=True, slots=True)
class NewcomerLogin:
    """What somebody signs in with; `password` is empty for one who had a login already."""

    username: str
    password: str


def apps_of_ours() -> list[str]:
    """Return the labels of our own apps: the rows that every role may look at."""
    return [app.label for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR]


def give_role(username: str, role: Role) -> NewcomerLogin:
    """
    Let somebody work with this role, in place of the one they had, and return how they sign in.

    :raises Group.DoesNotExist: the roles were not put in place; `manage.py prepare` does.
    """
    group = Group.objects.get(name=role.value)
    user = User.objects.filter(username=username).first()
    password = ""
    if user is None:
        password = secrets.token_urlsafe(18)
        user = User.objects.create_user(username, password=password, is_staff=True)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_active=True)
    user.groups.set([*user.groups.exclude(name__in=list(Role)), group])
    return NewcomerLogin(username, password)
