"""
Every kind of fact that the journal knows: what people read, who else is told, and what it keeps. Pure.

One row per kind. What stands before the dot is its family, and the family says which topic services find it in.
`after` and `before` are what `Fact.after` and `Fact.before` hold: the tests hold every fact to them, and the
schemas and examples in `docs/events/` are made from them (`manage.py describe_events`).
"""

from dataclasses import dataclass
from enum import StrEnum

from .journal_fields import (
    ANYTHING,
    COUNT,
    CURRENCY,
    ID,
    MINOR,
    NOTHING,
    REFERENCE,
    TEXT_OR_NULL,
    TIME,
    WORD,
    YES_OR_NO,
    Field,
    each,
    like,
    optional,
    or_null,
    record,
    several,
)


class Consumer(StrEnum):
    """Who is told of an entry; the value is stored in `journal_delivery.consumer`."""

    BILLING = "billing"
    DUNNING = "dunning"
    FANOUT = "fanout"
    PIPE = "pipe"


class Topic(StrEnum):
    """Where services find what they are told. Order is kept per account and topic."""

    ACCOUNTS = "accounts"
    CATALOG = "catalog"
    CHANGES = "changes"
    DUNNING = "dunning"
    ENTITLEMENTS = "entitlements"
    INVOICES = "invoices"
    OPERATIONS = "operations"
    PAYMENTS = "payments"


# Each family of kinds, and its topic.
TOPICS: dict[str, Topic] = {
    "account":        Topic.ACCOUNTS,
    "billing":        Topic.OPERATIONS,
    "cancel_reason":  Topic.CHANGES,
    "catalog":        Topic.CATALOG,
    "change":         Topic.CHANGES,
    "credit":         Topic.PAYMENTS,
    "credit_note":    Topic.INVOICES,
    "customer":       Topic.ACCOUNTS,
    "dispute":        Topic.PAYMENTS,
    "domain":         Topic.CHANGES,
    "dunning":        Topic.DUNNING,
    "entitlements":   Topic.ENTITLEMENTS,
    "invoice":        Topic.INVOICES,
    "ledger":         Topic.PAYMENTS,
    "mandate":        Topic.PAYMENTS,
    "member":         Topic.ACCOUNTS,
    "notice":         Topic.OPERATIONS,
    "payment":        Topic.PAYMENTS,
    "payment_method": Topic.PAYMENTS,
    "person":         Topic.ACCOUNTS,
    "refund":         Topic.PAYMENTS,
    "stripe":         Topic.OPERATIONS,
    "stuck":          Topic.OPERATIONS,
    "subscription":   Topic.CHANGES,
    "token":          Topic.ACCOUNTS,
    "trial":          Topic.CHANGES,
    "zone":           Topic.ACCOUNTS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What people read of a kind of fact, what it keeps, and who else must be told of it."""

    sentence: str
    after: Field = NOTHING
    told: tuple[Consumer, ...] = ()
    before: Field = NOTHING


# The platform's services, which see what concerns them and nothing of how it came about.
SERVICES: tuple[Consumer, ...] = (Consumer.FANOUT,)
# Facts about debt: the brain looks at the account again.
DEBT: tuple[Consumer, ...] = (Consumer.DUNNING, *SERVICES)

_OPES = each(ID.example, TEXT_OR_NULL)  # what each OPE is worth; null: it does not exist
_SCHEDULED = record(subscription_id=ID, opes=several(ID), applies_at=TIME)
_ENDED = record(workflow_id=ID, code=like(WORD, "payment_declined"))
_REFUNDED = record(workflow_id=ID, invoice_id=ID, paid_minor=MINOR, currency=CURRENCY, code=like(WORD, "object_gone"))
_ATTEMPT = record(
    attempt_id=ID,
    invoice_id=ID,
    amount_minor=MINOR,
    currency=CURRENCY,
    code=like(WORD, "insufficient_funds"),
    source=like(WORD, "ours"),
)
# The columns that may change; an entry has those that did.
_INVOICE = {
    "number": optional(like(WORD, "PG-000123")),
    "status": optional(WORD),
    "subtotal_minor": optional(MINOR),
    "tax_minor": optional(like(MINOR, 0)),
    "total_minor": optional(MINOR),
    "paid_minor": optional(MINOR),
    "paid_elsewhere_minor": optional(like(MINOR, 0)),
    "carried_minor": optional(like(MINOR, 0)),
    "credited_minor": optional(like(MINOR, 0)),
    "written_off_minor": optional(like(MINOR, 0)),
    "finalized_at": optional(or_null(TIME)),
    "paid_at": optional(or_null(TIME)),
    "voided_at": optional(or_null(like(TIME, None))),
    "finalization_failed": optional(like(WORD, "")),
    "collection_failed": optional(like(WORD, "")),
}
_ACT = record(invoice_id=ID, act=like(WORD, "void"), code=like(WORD, ""))
_CREDIT = record(credit_id=ID, kind=like(WORD, "goodwill"), amount_minor=MINOR, currency=CURRENCY)
_CREDIT_NOTE = record(
    credit_note_id=ID, invoice_id=ID, total_minor=MINOR, currency=CURRENCY, why=like(WORD, "refund"), code=WORD
)
_DISPUTE = record(
    dispute_id=ID,
    invoice_id=ID,
    amount_minor=MINOR,
    currency=CURRENCY,
    status=like(WORD, "needs_response"),
    code=like(WORD, ""),
)
_REFUND = record(refund_id=ID, charge_id=ID, amount_minor=MINOR, currency=CURRENCY, code=like(WORD, ""))
_NOTICE = record(notice_id=ID, kind=like(WORD, "change_not_made"), about=like(REFERENCE, ID.example), level=COUNT)
_RULE = Field({"type": "string", "maxLength": 80}, "retries are exhausted")
_STANDING = record(
    decision_id=optional(ID),
    status=like(WORD, "bad_debt"),
    because=_RULE,
    level=like(COUNT, 6),
    has_bad_debt=YES_OR_NO,
    is_banned=YES_OR_NO,
    needs_payment_method=YES_OR_NO,
)
_TYPE = record(type=like(WORD, "enterprise"))
_SETS = record(sets=several(like(WORD, "preview")))
_CONSEQUENCE = record(
    action_id=ID,
    act=like(WORD, "mirror"),
    invoice_id=like(WORD, ID.example),
    code=like(WORD, ""),
    schedule_id=optional(ID),
    has_ended=optional(YES_OR_NO),
    items=optional(several(like(REFERENCE, "ii_SabcXYZ"))),
)
_STUCK = record(type=like(WORD, "invoice.paid"), attempts=COUNT)
_DOMAIN = record(charge_id=ID, tries=COUNT, code=like(WORD, "payment_declined"), workflow_id=like(WORD, ID.example))
_FEATURES = each("account:page_rules", ANYTHING)  # zone or `account`, and the feature

KINDS: dict[str, Kind] = {
    "account.access_changed":   Kind("It was said which plans the account may buy that are not sold to everybody",
                                     _SETS, before=_SETS),
    "account.buyer_changed":    Kind("Who is billed, as papers say it, is another company or has another tax id",
                                     record(fields=several(like(WORD, "tax_id")))),
    "account.closed":           Kind("The account was closed", record(account_id=ID), SERVICES),
    "account.created":          Kind("The account was created", record(account_id=ID), (*SERVICES, Consumer.BILLING)),
    "account.renamed":          Kind("The account got another name", record(account_id=ID), (Consumer.BILLING,)),
    "account.type_changed":     Kind("The account is treated as another type when it owes", _TYPE, DEBT, before=_TYPE),
    "billing.clock_ended":      Kind("A billing clock of ours stopped: nothing is left to bill",
                                     record(schedule_id=ID)),
    "billing.clock_started":    Kind("A billing clock of ours began",
                                     record(schedule_id=ID, interval=like(WORD, "month"), anchor_at=TIME)),
    "cancel_reason.given":      Kind("The customer said why they cancelled",
                                     record(subscription_id=ID, reasons=several(like(WORD, "too_expensive"))),
                                     SERVICES),
    "catalog.prices_mapped":    Kind("Prices were made at the payment processor", each("pro_month_v1", REFERENCE)),
    "catalog.published":        Kind("The catalogue was published",
                                     record(version=COUNT, added=several(like(WORD, "pro_month_v2")),
                                            retired=several(like(WORD, "pro_month_v1"))), SERVICES),
    "catalog.staged":           Kind("New prices were written down; they are not on sale yet",
                                     record(prices=several(like(WORD, "pro_month_v2")))),
    "change.abandoned":         Kind("A change was given up before it was paid", _ENDED, SERVICES),
    "change.applied":           Kind("A scheduled change was made at the payment processor", _SCHEDULED),
    "change.awaiting_payment":  Kind("A change waits for the customer to confirm the payment", told=SERVICES),
    "change.committed":         Kind("A change took effect",
                                     record(workflow_id=optional(ID), invoice_id=optional(ID),
                                            paid_minor=optional(MINOR), currency=optional(CURRENCY), opes=_OPES),
                                     SERVICES, before=record(opes=_OPES)),
    "change.declined":          Kind("A change was not made: the payment was declined", _ENDED, SERVICES),
    "change.expired":           Kind("A change was not made: the payment was not confirmed in time", _ENDED, SERVICES),
    "change.made_due":          Kind("Somebody had a change that waits looked at again",
                                     record(workflow_id=ID, step=like(WORD, "awaiting_payment"))),
    "change.refunded":          Kind("What was paid for a change that could not be made went back",
                                     _REFUNDED, SERVICES),
    "change.refunding":         Kind("A change was paid for and can't be made; the money goes back",
                                     _REFUNDED, SERVICES),
    "change.reopened":          Kind("Something can still grow: the period's end is told to Stripe once more, later",
                                     _SCHEDULED),
    "change.requested":         Kind("A change was asked for",
                                     record(workflow_id=ID, due_now_minor=MINOR, currency=CURRENCY), SERVICES),
    "change.scheduled":         Kind("A change was scheduled for the end of the period", _SCHEDULED, SERVICES),
    "change.taken_back":        Kind("A scheduled change was taken back", _SCHEDULED, SERVICES),
    "credit.expired":           Kind("Credit expired unused", _CREDIT, SERVICES),
    "credit.freed":             Kind("Credit that was kept for a change is free again", _CREDIT),
    "credit.given_back":        Kind("Credit that an invoice had used came back", _CREDIT, SERVICES),
    "credit.granted":           Kind("Credit was given", _CREDIT, SERVICES),
    "credit.reserved":          Kind("Credit is kept for an invoice",
                                     record(invoice_id=ID, amount_minor=MINOR)),
    "credit.taken_back":        Kind("Credit was taken back as far as it was unused", _CREDIT, SERVICES),
    "credit.used":              Kind("Credit paid for a part of an invoice", _CREDIT, SERVICES),
    "credit_note.asked":        Kind("A credit note is to be issued", _CREDIT_NOTE),
    "credit_note.issued":       Kind("A credit note was issued", _CREDIT_NOTE, DEBT),
    "credit_note.overpaid":     Kind("What was credited was paid all the same and is given as credit", _CREDIT_NOTE),
    "credit_note.refused":      Kind("A credit note was not issued: the payment processor would not", _CREDIT_NOTE,
                                     (Consumer.DUNNING,)),
    "credit_note.voided":       Kind("A credit note was taken back", _CREDIT_NOTE, DEBT),
    "customer.mapped":          Kind("The account got its customer at the payment processor",
                                     record(stripe_customer_id=like(REFERENCE, "cus_SabcXYZ")), (Consumer.PIPE,)),
    "dispute.answer_asked":     Kind("A dispute is to be answered", _DISPUTE),
    "dispute.answer_refused":   Kind("The answer to a dispute was not taken", _DISPUTE),
    "dispute.evidence_sent":    Kind("The bank got our side of a dispute", _DISPUTE),
    "dispute.lost":             Kind("A dispute was lost", _DISPUTE, DEBT),
    "dispute.opened":           Kind("A payment was disputed", _DISPUTE, DEBT),
    "dispute.updated":          Kind("A dispute moved on", _DISPUTE),
    "dispute.won":              Kind("A dispute was won", _DISPUTE, DEBT),
    "domain.event_processed":   Kind("The registrar told of a domain",
                                     record(event_id=like(WORD, "evt-1"), type=like(WORD, "registered"),
                                            outcome=like(WORD, "charge_asked"))),
    "domain.not_paid":          Kind("A domain was not paid", _DOMAIN, SERVICES),
    "domain.paid":              Kind("A domain was paid", like(_DOMAIN, _DOMAIN.example | {"code": ""}), SERVICES),
    "dunning.act_done":         Kind("Something that was decided about debt was done", _CONSEQUENCE),
    "dunning.act_refused":      Kind("Something that was decided about debt can't be done, or is not needed any more",
                                     _CONSEQUENCE),
    "dunning.brake_set":        Kind("A brake of what follows from debt was set or taken off",
                                     record(act=like(WORD, "cancel_items"), is_stopped=YES_OR_NO,
                                            limit_per_hour=COUNT)),
    "dunning.decided":          Kind("What is owed was looked at, and something follows from it",
                                     _STANDING, SERVICES,
                                     before=_STANDING),
    "dunning.observed":         Kind("What is owed was looked at; what follows was only noted",
                                     record(decision_id=ID, status=WORD, because=_RULE)),
    "dunning.outage_began":     Kind("The payment processor does not answer; nobody's debt grows older meanwhile",
                                     record(processor=like(WORD, "stripe"))),
    "dunning.outage_ended":     Kind("The payment processor answers again", record(processor=like(WORD, "stripe"))),
    "dunning.rolled_out":       Kind("The dunning brain acts for another part of the accounts",
                                     record(percent=like(COUNT, 10), is_observe_only=YES_OR_NO)),
    "entitlements.changed":     Kind("What the account may use changed", _FEATURES, SERVICES, before=_FEATURES),
    "invoice.act_asked":        Kind("Something is to be done to an invoice",
                                     record(invoice_id=ID, act=like(WORD, "void"), credit_note_id=WORD)),
    "invoice.act_done":         Kind("Something was done to an invoice", _ACT, DEBT),
    "invoice.act_refused":      Kind("The payment processor would not do something to an invoice", _ACT),
    "invoice.recorded":         Kind("An invoice was made",
                                     record(invoice_id=ID, status=like(WORD, "draft"), total_minor=MINOR,
                                            currency=CURRENCY), DEBT),
    "invoice.updated":          Kind("An invoice changed at the payment processor",
                                     record(invoice_id=ID, **_INVOICE), DEBT,
                                     before=record(invoice_id=optional(ID), **_INVOICE)),
    "ledger.corrected":         Kind("An earlier transaction of the ledger was corrected",
                                     record(transaction_id=ID, corrects=ID, source=like(WORD, "paid:in"))),
    "mandate.updated":          Kind("What a customer authorised to be charged later changed",
                                     record(mandate_id=like(REFERENCE, "mandate_1SabcXYZ"), payment_method_id=ID,
                                            status=like(WORD, "active")), (Consumer.DUNNING,)),
    "member.added":             Kind("Somebody became a member of the account",
                                     record(member_id=ID, role=like(WORD, "administrator")), SERVICES),
    "member.removed":           Kind("Somebody left the account",
                                     record(member_id=ID, role=like(WORD, "administrator")), SERVICES),
    "member.role_changed":      Kind("A member's role changed",
                                     record(person_id=ID, role=like(WORD, "billing")), SERVICES),
    "notice.given_up":          Kind("An e-mail to the customer could not be delivered", _NOTICE),
    "notice.sent":              Kind("The customer was told by e-mail", _NOTICE),
    "notice.written":           Kind("The customer is to be told something by e-mail", _NOTICE),
    "payment.action_required":  Kind("A payment waits for the customer to confirm it", _ATTEMPT, DEBT),
    "payment.attempted":        Kind("A payment was asked for", _ATTEMPT, SERVICES),
    "payment.failed":           Kind("A payment did not go through", _ATTEMPT, DEBT),
    "payment.succeeded":        Kind("A payment went through", _ATTEMPT, DEBT),
    "payment_method.removed":   Kind("A payment method was removed", record(payment_method_id=ID), DEBT),
    "payment_method.stopped":   Kind("A payment method is never charged again: its bank said so",
                                     record(payment_method_id=ID, why=like(WORD, "lost_card")), DEBT),
    "payment_method.stored":    Kind("A payment method was stored",
                                     record(payment_method_id=ID, is_default=YES_OR_NO), DEBT),
    "payment_method.updated":   Kind("A payment method changed at the processor",
                                     record(payment_method_id=ID), DEBT),
    "person.erased":            Kind("Somebody was erased: whoever keeps who they are forgets it too",
                                     record(person_id=optional(ID)), SERVICES),
    "refund.failed":            Kind("A refund came back", _REFUND, DEBT),
    "refund.given_as_credit":   Kind("A refund that had come back was given as credit", _REFUND, SERVICES),
    "refund.made":              Kind("A refund is on its way", _REFUND, DEBT),
    "refund.refused":           Kind("A refund was not made: the payment processor would not", _REFUND),
    "refund.succeeded":         Kind("A refund arrived", _REFUND, DEBT),
    "stripe.event_processed":   Kind("An event from Stripe was processed",
                                     record(type=like(WORD, "invoice.paid"), outcome=like(WORD, "changed"))),
    "stripe.event_replayed":    Kind("An event from Stripe was made due once more",
                                     record(type=like(WORD, "invoice.paid"))),
    "stuck.opened":             Kind("Something from outside could not be processed and waits", _STUCK),
    "stuck.released":           Kind("Something that waited was taken up again", _STUCK),
    "stuck.settled":            Kind("Something that waited was dealt with by hand", _STUCK),
    "stuck.taken":              Kind("Somebody looks after something that waits", _STUCK),
    "subscription.clock_left":  Kind("A billing clock was left for another, and Stripe has followed",
                                     record(schedule_id=ID, has_ended=YES_OR_NO)),
    "subscription.ended":       Kind("What was paid for came to its end", _SCHEDULED, SERVICES),
    "subscription.items_emptied": Kind("An item at the payment processor bills nothing any more",
                                     record(schedule_id=ID, items=several(like(REFERENCE, "si_SabcXYZ")))),
    "subscription.not_paid":    Kind("What was owned ended: nobody paid for it",
                                     record(opes=several(ID), subscriptions=several(ID)), SERVICES),
    "subscription.renewed":     Kind("What the account owns was renewed for another period",
                                     record(invoice_id=ID, opes=several(ID), until=TIME), SERVICES),
    "subscription.switch_not_paid": Kind("What was to be paid the other way from now on was not paid: it is free now",
                                     record(subscription_id=ID, opes=several(ID), code=like(WORD, "payment_declined"))),
    "token.issued":             Kind("An API token was issued",
                                     record(prefix=like(WORD, "pgo_1a2b"), scopes=optional(several(WORD)))),
    "trial.not_paid":           Kind("A trial ended with what is free: what it was to become was not paid",
                                     record(subscription_id=ID, opes=several(ID), code=like(WORD, "payment_declined")),
                                     SERVICES),
    "zone.created":             Kind("A zone was added", record(zone_id=ID), SERVICES),
    "zone.deleted":             Kind("A zone was removed", record(zone_id=ID), SERVICES),
    "zone.moved":               Kind("A domain went to another account",
                                     record(zone_id=ID, new_zone_id=ID, from_account_id=ID, to_account_id=ID),
                                     SERVICES),
}  # fmt: skip


def family_of(kind: str) -> str:
    """Return what stands before the dot."""
    return kind.partition(".")[0]


def topic_of(kind: str) -> Topic:
    """Return the topic that services find a kind in."""
    return TOPICS[family_of(kind)]
