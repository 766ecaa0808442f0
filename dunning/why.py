"""Why an account is treated as it is: the rules as they were gone through, and what each store says and since when."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import SubsAccount
from billing.models.stripe_mirror import StripeMirror

from .decide import ROWS, Question
from .facts import AccountFacts
from .policy import POLICY


@dataclass(frozen=True, slots=True)
class Tried:
    """A row of the policy: whether it was come to, and whether it applied."""

    because: str
    status: str
    is_reached: bool
    applies: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What one store says, and since when; None: it keeps no time of it."""

    store: str
    about: str
    says: str
    since: datetime | None


def rows_tried(facts: AccountFacts) -> list[Tried]:
    """Return every row of the policy in its order, up to the one that decided and beyond."""
    question, is_reached = Question(facts, POLICY), True
    tried = []
    for row in ROWS:
        applies = is_reached and row.applies(question)
        tried.append(Tried(row.because, row.status.value if row.status else "", is_reached, applies))
        is_reached = is_reached and not applies
    return tried


def claims(facts: AccountFacts) -> list[Claim]:
    """Return what each store says of the account's debt, next to each other. Two statements."""
    profile = SubsAccount.objects.select_related("account__customer").get(pk=facts.account_id)
    customer = getattr(profile.account, "customer", None)
    seen = StripeMirror.objects.filter(pk=customer.stripe_customer_id if customer else "").first()
    metadata = (seen.payload.get("metadata") or {}) if seen else {}
    stored = facts.stored
    owed = {invoice.currency: 0 for invoice in facts.owed}
    for invoice in facts.owed:
        owed[invoice.currency] += invoice.remaining_minor
    since = min((invoice.finalized_at for invoice in facts.owed), default=None)
    words = ", ".join(f"{minor / 100:,.2f} {currency.upper()}" for currency, minor in owed.items())
    if words:
        words += f" on {len(facts.owed)} invoice{'s' if len(facts.owed) > 1 else ''}"
    seen_at = seen.seen_at if seen else None
    usable = [method for method in facts.methods if method.is_usable]
    return [
        Claim("subs_account", "type", profile.account_type, None),
        Claim("subs_account", "bad-debt flag", _word(facts.has_bad_debt_flag), None),
        Claim("subs_account", "ban", profile.banned_rule or "no", facts.banned_at),
        Claim(
            "subs_account",
            "payment method asked for",
            _word(facts.payment_method_required_at is not None),
            facts.payment_method_required_at,
        ),
        Claim("subs_customer", "bad debt", _word(facts.bad_debt_since is not None), facts.bad_debt_since),
        Claim("subs_dunning", "status", f"{stored.status.value}: {stored.because or 'never asked'}", None),
        Claim(
            "billing_prod",
            "owed",
            words or "nothing",
            since,
        ),
        Claim("billing_prod", "methods to charge", f"{len(usable)} of {len(facts.methods)}", _latest(facts)),
        Claim(
            "stripe", "bad_debt in its metadata", metadata.get("bad_debt", "not said"), seen.seen_at if seen else None
        ),
        Claim(
            "stripe",
            "account_type in its metadata",
            metadata.get("account_type", "not said"),
            seen_at,
        ),
        Claim("subs_stuck_events", "merged with another", _word(facts.is_merged), None),
    ]


def _latest(facts: AccountFacts) -> datetime | None:
    return max((method.usable_since for method in facts.methods if method.is_usable), default=None)


def _word(says_yes: bool) -> str:
    return "yes" if says_yes else "no"
