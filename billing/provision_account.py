"""Make an account ready to buy: account, zones, card and token in one go, for scripts and demos."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.create_account import clean_domain, create_account, issue_token, set_role
from accounts.models import Account, Person, Zone
from accounts.roles import Role

from .add_zone import add_zone
from .payments.methods import store_test_card


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a script needs to act as the account; the token can't be read again."""

    account_id: str
    zone_ids: tuple[str, ...]
    token: str


def provision_account(
    *,
    name: str,
    email: str,
    zones: Sequence[str],
    card: str | None,
    role: Role,
    language: str | None = None,
    actor: str,
    now: datetime,
) -> Provisioned:
    """
    Return an account of that e-mail address with these zones, this card stored and a token for a member with `role`.

    Safe to repeat: the same address gives the same account and zones again, with a new token for the role asked for
    and, if a card is named, that card as the default. The card is checked last: an account without one is complete.

    :raises InvalidDetail: a name, an address or a domain that can't be kept.
    :raises ZoneTaken: a domain that another account serves.
    :raises UnknownTestCard: not a test card.
    """
    domains = [clean_domain(zone) for zone in zones]
    account = Account.objects.filter(subs_account__email=email.strip().lower()).order_by("created_at").first()
    if account is None:
        account = create_account(name=name, email=email, language=language, role=role, actor=actor, now=now)
    served = dict(Zone.objects.filter(account=account, deleted_at__isnull=True).values_list("name", "pk"))
    for domain in domains:
        if domain not in served:
            served[domain] = add_zone(account.pk, name=domain, actor=actor, now=now).pk
    if card:
        store_test_card(account.pk, number=card, actor=actor, now=now)
    person = Person.objects.get(email=email.strip().lower())
    set_role(account.pk, person, role=role, actor=actor, now=now)
    token = issue_token(account.pk, person, name=f"{name} ({role.value})", actor=actor, now=now)
    return Provisioned(account.pk, tuple(served[domain] for domain in domains) or tuple(served.values()), token)
