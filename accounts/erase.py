"""What the facade knows of a person, taken away: rows and their ids stay, because the journal names them."""

from collections.abc import Sequence

from django.db.models import Count, Q

from config import clock

from .lock import holds_lock
from .models import Account, ApiToken, Member, Notice, Person

NAME = "erased"


def accounts_of_nobody_else(person: Person) -> set[str]:
    """Return the accounts in which this person is the one member."""
    counted = Account.objects.annotate(people=Count("members"), mine=Count("members", filter=Q(members__person=person)))
    return set(counted.filter(people=1, mine=1).values_list("pk", flat=True))


def forget_person(person: Person) -> None:
    """Empty the person's row, end their memberships, and make their tokens worthless; under the accounts' locks."""
    ApiToken.objects.filter(person=person).update(name=NAME)
    ApiToken.objects.filter(person=person, revoked_at__isnull=True).update(revoked_at=clock.machine_now())
    Member.objects.filter(person=person).delete()
    Person.objects.filter(pk=person.pk).update(email=f"{person.pk}@{NAME}.invalid")


def forget_names(account_ids: Sequence[str]) -> None:
    """Empty what these accounts are called; the caller writes the journal entries."""
    assert all(holds_lock(account_id) for account_id in account_ids)
    Account.objects.filter(pk__in=account_ids).update(name=NAME)


def forget_told(account_ids: Sequence[str]) -> int:
    """Empty the facts of e-mails that have left, and return of how many."""
    done = Q(sent_at__isnull=False) | Q(given_up_at__isnull=False)
    return Notice.objects.filter(done, account__in=account_ids).exclude(facts={}).update(facts={})
