"""
The stores that hold an account's state: their tables, and who alone may write them.

The house tests read it (one writer per column group; no write without a journal entry), and so do the
dunning brain's gather and NinjaPanel's side-by-side page. Modules are named, not imported: they lie to the right.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Some columns of a table and the modules that may write them. No columns named = all not named elsewhere."""

    writers: tuple[str, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """One store of the source documents, as a set of tables."""

    name: str
    holds: str
    tables: dict[str, tuple[ColumnGroup, ...]]


_INVOICE_WRITERS = (
    "billing.invoicing.record",
    "billing.invoicing.record_cycles",
    "billing.invoicing.credit_cycles",
)

STORES = (
    Store(
        "subs_account",
        "billing profile, account type, flags and restrictions",
        {"subs_account": (
            ColumnGroup(("accounts.profile",)),
            ColumnGroup(("dunning.apply",), ("flags", "banned_at", "banned_rule", "payment_method_required_at")),
        )},
    ),
    Store(
        "subs_customer",
        "the account's customers at Stripe and Braintree",
        {"subs_customer": (
            ColumnGroup(("billing.customers",)),
            ColumnGroup(("dunning.apply",), ("bad_debt_since",)),
        )},
    ),
    Store(
        "subs_dunning",
        "what an account's debt means: the conclusion, the decisions that led to it, and what was given up",
        {
            "subs_dunning": (ColumnGroup(("dunning.apply",)),),
            "dunning_decision": (ColumnGroup(("dunning.apply",)),),
            "bad_invoice": (ColumnGroup(("dunning.apply",)),),
        },
    ),
    Store(
        "billing_prod",
        "payment methods, invoices, attempts, credits, what goes back, schedules and the ledger",
        {
            "payment_method": (ColumnGroup(("billing.payments.methods",)),),
            "payment_attempt": (ColumnGroup(("billing.payments.attempts",)),),
            "charge": (ColumnGroup(("billing.payments.charges",)),),
            "credit": (ColumnGroup(("billing.invoicing.credits", "billing.invoicing.credit_cycles")),),
            "credit_note": (ColumnGroup(("billing.invoicing.issue_credit_note",)),),
            "credit_note_line": (ColumnGroup(("billing.invoicing.issue_credit_note",)),),
            "credit_use": (ColumnGroup(("billing.invoicing.credits", "billing.invoicing.credit_cycles")),),
            "dispute": (ColumnGroup(("billing.invoicing.disputes",)),),
            "invoice": (ColumnGroup(_INVOICE_WRITERS),),
            "invoice_line": (ColumnGroup(_INVOICE_WRITERS),),
            "refund": (ColumnGroup(("billing.invoicing.refunds",)),),
            "billing_schedule": (ColumnGroup(("billing.invoicing.clock",)),),
            "ledger_transaction": (ColumnGroup(("billing.invoicing.ledger",)),),
            "ledger_entry": (ColumnGroup(("billing.invoicing.ledger",)),),
        },
    ),
    Store(
        "cf_prod",
        "who exists, what is provisioned, what can be bought",
        {
            "account": (
                ColumnGroup(("accounts.create_account",)),
                ColumnGroup(("accounts.create_account", "accounts.erase"), ("name",)),
            ),
            "zone": (ColumnGroup(("accounts.create_account",)),),
            "entitlement": (ColumnGroup(("entitlements.provision",)),),
            "entitlement_version": (ColumnGroup(("entitlements.provision",)),),
            "product_family": (ColumnGroup(("billing.catalog.load",)),),
            "rate_plan": (ColumnGroup(("billing.catalog.load",)),),
            "component": (ColumnGroup(("billing.catalog.load",)),),
            "meter": (ColumnGroup(("billing.catalog.load",)),),
            "plan_entitlement": (ColumnGroup(("billing.catalog.load",)),),
            "price": (
                ColumnGroup(("billing.catalog.load",)),
                ColumnGroup(("billing.catalog.publish",), ("stripe_price_id",)),
            ),
        },
    ),
    Store(
        "subs_object_products_element",
        "what an account owns, component by component",
        {"subs_object_products_element": (
            ColumnGroup(("billing.changes_calculator.save",)),
            ColumnGroup(("billing.changes_calculator.workflows", "billing.changes_calculator.save"), ("workflow",)),
        )},
    ),
    Store(
        "stripe",
        "the last seen state of each object at Stripe",
        {"stripe_mirror": (ColumnGroup(("billing.cfstripe.mirror",)),)},
    ),
    Store(
        "subs_mandate",
        "what customers authorised to be charged later",
        {"subs_mandate": (ColumnGroup(("dunning.mandates",)),)},
    ),
    Store(
        "subs_stuck_events",
        "what came from outside and could not be processed",
        {"subs_stuck_events": (ColumnGroup(("accounts.stuck",)),)},
    ),
)  # fmt: skip

GUARDED_TABLES = frozenset(table for store in STORES for table in store.tables)
