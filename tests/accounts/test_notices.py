"""Notices: an account is told something by e-mail, once, in its language, after the fact is committed."""

import smtplib
import subprocess
from datetime import timedelta
from shutil import which

import pytest
from django.core import mail
from django.template.loader import get_template
from django.utils import translation

from accounts.lock import account_lock
from accounts.models import JournalEntry, Notice, SubsAccount
from accounts.notices.compose import compose
from accounts.notices.kinds import KINDS, LANGUAGES
from accounts.notices.send import GIVE_UP_AFTER, send_due
from accounts.notices.tell import tell
from accounts.roles import Role
from config import clock
from tests.factories import AccountFactory, MemberFactory, clear
from tests.guard import unguarded
from tests.source import ROOT

pytestmark = pytest.mark.usefixtures("db")

# Whatever any text may ask for.
FACTS = {
    "what": "Pro plan",
    "number": "PG-0001",
    "amount_minor": 2500,
    "older_minor": 329,
    "due_minor": 2500,
    "paid_minor": 2500,
    "currency": "usd",
    "ends_at": "2026-02-01T00:00:00+00:00",
    "domain": "acme.example",
    "expires_at": "2026-03-01T00:00:00+00:00",
    "next_try_at": "2026-02-15T00:00:00+00:00",
}


def write(account, kind="change_declined", *, about="w1", level=0, now=None):
    with account_lock(account.pk):
        return tell(account.pk, kind, about=about, level=level, facts=FACTS, now=now or clock.now())


def kinds_of(account):
    return list(JournalEntry.objects.filter(account=account).order_by("id").values_list("kind", flat=True))


def test_an_account_is_told_once(mailoutbox):
    account, now = clear(name="Acme <b>"), clock.now()

    written = [write(account, now=now) for _ in range(2)]
    sent = [send_due(now=now) for _ in range(2)]

    assert (written, sent, len(mailoutbox)) == ([True, False], [1, 0], 1)
    message = mailoutbox[0]
    assert message.to == [SubsAccount.objects.get(account=account).email]
    assert message.subject == "Your payment was declined, and nothing was changed"
    assert "Hello Acme <b>," in message.body
    assert "Pro plan. It costs $25.00" in " ".join(message.body.split())
    assert f"/{account.pk}/billing/changes/w1" in message.body
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert "Hello Acme &lt;b&gt;," in html
    assert "<b>" not in html
    assert kinds_of(account) == ["notice.written", "notice.sent"]
    assert Notice.objects.get(account=account).sent_at == now


def test_another_thing_or_another_time_is_told_again(mailoutbox):
    account = clear()

    write(account)
    write(account, about="w2")
    write(account, level=1)
    write(account, "change_refunded")
    send_due(now=clock.now())

    assert len(mailoutbox) == 4
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 4


def test_those_who_look_after_the_bills_are_told_too(mailoutbox):
    account = AccountFactory.create()
    clerk = MemberFactory.create(account=account, role=Role.BILLING.value)
    MemberFactory.create(account=account, role=Role.READ_ONLY.value)
    MemberFactory.create(account=AccountFactory.create(), role=Role.BILLING.value)

    write(account)
    send_due(now=clock.now())

    assert mailoutbox[0].to == [SubsAccount.objects.get(account=account).email, clerk.person.email]


def test_a_mail_server_that_is_away_is_asked_again_and_not_for_ever(mailoutbox, monkeypatch):
    account, now = clear(), clock.now()
    write(account, now=now)

    def refuse(*_: object, **__: object) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as away:
        away.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        send_due(now=now)
        notice = Notice.objects.get(account=account)
        assert (notice.sent_at, notice.given_up_at, notice.attempts) == (None, None, 1)
        assert notice.next_at > now
        before, after = now + GIVE_UP_AFTER - timedelta(seconds=1), now + GIVE_UP_AFTER
        send_due(now=before)
        assert Notice.objects.get(account=account).given_up_at is None
    write(account, about="w2", now=now)
    send_due(now=now)
    assert len(mailoutbox) == 1, "one that waits holds up no other"

    with monkeypatch.context() as away:
        away.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        send_due(now=after + timedelta(hours=1))
    send_due(now=after + timedelta(days=9))

    assert Notice.objects.get(account=account, about="w1").given_up_at == after + timedelta(hours=1)
    assert kinds_of(account)[-1] == "notice.given_up"
    assert len(mailoutbox) == 1


NOTHING_OLDER = {name: value for name, value in FACTS.items() if name != "older_minor"}


@pytest.mark.parametrize(("kind", "facts"), [*((kind, FACTS) for kind in KINDS), ("debt_cleared", NOTHING_OLDER)])
def test_every_kind_says_something_in_every_language(kind, facts):
    account = clear()
    said = {}
    for language in LANGUAGES:
        message = compose(
            Notice(account=account, kind=kind, about="w1", language=language, facts=facts, created_at=clock.now())
        )
        html = message.alternatives[0][0]
        said[language] = {message.subject, *filter(None, message.body.splitlines())}
        assert f'<html lang="{language}">' in html
        assert message.subject in html.replace("&#x27;", "'")
        assert "{" not in message.body + html
        assert len(message.body) < 1500

    signature, link = "-- ", next(line for line in said["en"] if line.startswith("http"))
    assert said["en"] & said["de"] <= {signature, link}, "a text that nobody translated"


def test_no_text_asks_for_what_no_fact_says():
    """An unknown name in a template is an empty string: the sentence would have a hole."""
    for kind in KINDS:
        source = get_template(f"notices/{kind}.txt").template.source
        asked = {part.split("}}")[0].strip() for part in source.split("{{")[1:]}
        assert asked <= {name.removesuffix("_minor").removesuffix("_at") for name in FACTS}, kind


def test_an_account_that_reads_german_is_told_in_german(mailoutbox):
    account = clear()
    with unguarded():
        SubsAccount.objects.filter(account=account).update(language="de")

    write(account, "switch_unpaid")
    send_due(now=clock.now())

    assert mailoutbox[0].subject == "Ihr monatlicher Tarif konnte nicht bezahlt werden und ist beendet"
    assert "1. Februar 2026" in " ".join(mailoutbox[0].body.split())
    assert translation.get_language() == "en-us", "what comes after speaks as before"


def test_what_django_reads_is_what_the_translators_wrote(tmp_path):
    if which("msgfmt") is None:
        pytest.skip("NO GETTEXT: whether the compiled texts are current was not tested")
    for source in ROOT.glob("*/locale/*/LC_MESSAGES/django.po"):
        fresh = tmp_path / "fresh.mo"
        subprocess.run(["msgfmt", "--check-format", "-o", str(fresh), str(source)], check=True)

        assert fresh.read_bytes() == source.with_suffix(".mo").read_bytes(), "run `make messages`"


def test_nothing_is_sent_in_a_transaction_of_the_fact(mailoutbox):
    account = clear()

    with account_lock(account.pk):
        tell(account.pk, "change_declined", about="w1", facts=FACTS, now=clock.now())
        assert mail.outbox == []

    assert mailoutbox == []


def test_what_only_people_can_settle_goes_to_our_finance_alone(mailoutbox, settings):
    settings.FINANCE_EMAIL = "finance@paygo.example"
    account = clear()
    with unguarded():
        SubsAccount.objects.filter(account=account).update(language="de")

    write(account, "contract_overdue")
    send_due(now=clock.now())

    assert mailoutbox[0].to == ["finance@paygo.example"]
    assert mailoutbox[0].subject == "An invoice of a contract customer is overdue"
    assert f"/ninja/accounts/account/{account.pk}/" in mailoutbox[0].body
    assert "PG-0001" in mailoutbox[0].body
