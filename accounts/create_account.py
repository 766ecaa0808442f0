"""How accounts, zones and members come into being, are renamed and go."""

import re
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from . import journal, tokens
from .lock import account_lock, new_account_lock, person_lock
from .models import Account, Member, Person, Zone, new_id
from .profile import open_profile
from .roles import Role

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"^(?=.{{4,253}}$)({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])$")


class InvalidDetail(ValueError):
    """A name, an e-mail address or a domain that we can't keep; the message says which and why."""

    code = "invalid_body"


class ZoneTaken(Exception):
    """Another account serves this domain already."""

    code = "zone_taken"


class LastAdministrator(Exception):
    """Nobody would be left who may administer the account."""

    code = "last_administrator"


def create_account(
    *,
    name: str,
    email: str,
    language: str | None = None,
    role: Role = Role.SUPER_ADMINISTRATOR,
    actor: str,
    now: datetime,
) -> Account:
    """
    Create an account with its billing profile and first member, in one transaction.

    The journal entry's delivery to billing makes the customer at Stripe; nobody waits for that here.

    :raises InvalidDetail: an empty or over-long name, or something that is no e-mail address.
    """  # fmt: skip
    name, email = _name(name), _email(email)
    account_id = new_id()
    with new_account_lock(account_id):
        account = Account.objects.create(id=account_id, name=name, created_at=now)
        open_profile(account_id, email=email, language=language)
        person, _ = Person.objects.get_or_create(email=email, defaults={"created_at": now})
        member = Member.objects.create(account=account, person=person, role=role.value, created_at=now)
        journal.emit(
            journal.Fact("account.created", account_id, actor, after={"account_id": account_id}),
            journal.Fact("member.added", account_id, actor, after={"member_id": member.pk, "role": role.value}),
            at=now,
        )
    return account


def open_account(person_id: str, *, name: str, token_id: str, actor: str, now: datetime) -> Account:
    """
    Return the account of that name which this person administers, opening one where the token reaches none.

    So it is safe to repeat, at once or later: a person has one account of a name. A token that is limited to some
    accounts reaches the new one too, or what it opened would be out of its reach.

    :raises InvalidDetail: an empty or over-long name.
    """
    name = _name(name)
    with person_lock(person_id):
        person = Person.objects.get(pk=person_id)
        reach = tokens.reach_of(token_id)
        mine = Account.objects.filter(
            name=name, closed_at__isnull=True, members__person=person, members__role=Role.SUPER_ADMINISTRATOR.value
        )
        if reach is not None:
            mine = mine.filter(pk__in=reach)
        if known := mine.order_by("created_at", "pk").first():
            return known
        account = create_account(name=name, email=person.email, actor=actor, now=now)
        if reach is not None:
            with account_lock(account.pk):
                after = {"prefix": tokens.extend(token_id, account.pk)}
                journal.emit(journal.Fact("token.issued", account.pk, actor, after=after), at=now)
    return account


def rename_account(account_id: str, *, name: str, actor: str, now: datetime) -> Account:
    """
    Give an account another name and return it; nothing is written if it is called so already.

    :raises InvalidDetail: an empty or over-long name.
    """
    name = _name(name)
    with account_lock(account_id):
        if Account.objects.filter(pk=account_id).exclude(name=name).update(name=name):
            journal.emit(journal.Fact("account.renamed", account_id, actor, after={"account_id": account_id}), at=now)
        return Account.objects.get(pk=account_id)


def mark_closed(account_id: str, *, actor: str, now: datetime) -> None:
    """Write that an account is closed, once. What it has is billing's to end first: call `billing.close_account`."""
    with account_lock(account_id):
        if Account.objects.filter(pk=account_id, closed_at__isnull=True).update(closed_at=now):
            journal.emit(journal.Fact("account.closed", account_id, actor, after={"account_id": account_id}), at=now)


def leave_account(account_id: str, *, member_id: str, actor: str, now: datetime) -> None:
    """
    End a membership; nothing happens if it has ended. Tokens of that person reach the account no more.

    :raises LastAdministrator: there is no other Super Administrator.
    """
    with account_lock(account_id):
        member = Member.objects.filter(account=account_id, pk=member_id).first()
        if member is None:
            return
        administrators = Member.objects.filter(account=account_id, role=Role.SUPER_ADMINISTRATOR.value)
        if member.role == Role.SUPER_ADMINISTRATOR.value and not administrators.exclude(pk=member_id).exists():
            raise LastAdministrator
        after = {"member_id": member.pk, "role": member.role}
        member.delete()
        journal.emit(journal.Fact("member.removed", account_id, actor, after=after), at=now)


def create_zone(account_id: str, *, name: str, actor: str, now: datetime) -> Zone:
    """
    Add a domain to an account. What it may use is billing's: call `billing.add_zone`, which calls this.

    :raises InvalidDetail: not a domain name.
    :raises ZoneTaken: the domain is served already, by this account or another.
    """
    domain = clean_domain(name)
    with account_lock(account_id):
        try:
            with transaction.atomic():
                zone = Zone.objects.create(account_id=account_id, name=domain, created_at=now)
        except IntegrityError as error:
            raise ZoneTaken(f"{domain} is served already. Remove it there first.") from error
        journal.emit(journal.Fact("zone.created", account_id, actor, after={"zone_id": zone.pk}), at=now)
    return zone


def delete_zone(zone: Zone, *, actor: str, now: datetime) -> None:
    """Write that a domain is not served any more; its name is free. What it has is billing's: call `remove_zone`."""
    with account_lock(zone.account_id):
        if Zone.objects.filter(pk=zone.pk, deleted_at__isnull=True).update(deleted_at=now):
            journal.emit(journal.Fact("zone.deleted", zone.account_id, actor, after={"zone_id": zone.pk}), at=now)


def set_role(account_id: str, person: Person, *, role: Role, actor: str, now: datetime) -> None:
    """Let a member of the account have this role from now on; nothing is written if that is so already."""
    with account_lock(account_id):
        members = Member.objects.filter(account=account_id, person=person).exclude(role=role.value)
        if members.update(role=role.value):
            after = {"person_id": person.pk, "role": role.value}
            journal.emit(journal.Fact("member.role_changed", account_id, actor, after=after), at=now)


def issue_token(account_id: str, person: Person, *, name: str, actor: str, now: datetime) -> str:
    """Return a new token with which `person` acts in this account; it can't be read again."""
    with account_lock(account_id):
        token = tokens.issue(name=name, person=person, scopes=tokens.CUSTOMER_SCOPES, account_ids=[account_id])
        journal.emit(
            journal.Fact("token.issued", account_id, actor, after={"prefix": token[: tokens.PREFIX_LENGTH]}), at=now
        )
    return token


def clean_domain(name: str) -> str:
    """
    Return a domain name as it is kept: lower case, no dot at its end.

    :raises InvalidDetail: it is no domain name.
    """
    domain = name.strip().lower().rstrip(".")
    if not _DOMAIN.match(domain):
        raise InvalidDetail(f"zone: {name[:80]!r} is not a domain name.")
    return domain


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 160:
        raise InvalidDetail("name: give 1 to 160 characters.")
    return name


def _email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidDetail("email: this is not an e-mail address.") from error
    return email
