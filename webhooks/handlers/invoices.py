"""Invoices that begin, fail, or are taken back: our row follows Stripe's object."""

from billing.invoicing import issue_credit_note
from billing.invoicing.follow import note_not_finalized
from billing.invoicing.take_over import notice

from .arrival import Arrival


def refresh(arrival: Arrival) -> bool:
    """Take over the draft of a renewal; bring an invoice that we know up to date."""
    return notice(arrival.object, account_id=arrival.account_id, now=arrival.now)


def not_finalized(arrival: Arrival) -> bool:
    """Write on our invoice why it is still a draft."""
    return note_not_finalized(arrival.object, account_id=arrival.account_id, now=arrival.now)


def credited(arrival: Arrival) -> bool:
    """Record a credit note that somebody made at Stripe; ours are known."""
    return issue_credit_note.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)
