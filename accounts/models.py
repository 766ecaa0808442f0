"""Tables of the facade: who pays, who may act for them, and what happened to them."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import MD5, Coalesce, Left

from .flags import AccountFlag, has_flag
from .roles import Role


def new_id() -> str:
    """Return a fresh identifier in the form the public API uses: 32 lower-case hex digits."""
    return uuid4().hex


# How tax offices write: letters and digits, with spaces, dots, dashes or slashes between them.
TAX_ID = "[A-Z0-9]([A-Z0-9 ./-]{0,38}[A-Z0-9])?"


def is_hex_id(field: str) -> Q:
    """Return the condition that `field` looks like a public identifier, for CHECK constraints."""
    return Q(**{f"{field}__regex": "^[0-9a-f]{32}$"})


class Lease(models.Model):
    """
    A row that is work to do: `claim.py` hands it to one worker at a time.

    `next_at` is business time (backoff, due times); `lease_until` is machine time, because a lease
    measures a running process, not a billing period. A lease ends early when the database session that took
    it is gone: whoever held it was killed.
    """

    next_at = models.DateTimeField(help_text="business time before which nobody takes the row")
    attempts = models.PositiveIntegerField(default=0, help_text="how often the work was tried and failed")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="machine time until which the row is taken")
    lease_backend = models.CharField(max_length=64, blank=True, help_text="the database session of who took it")

    class Meta:
        abstract = True


class AccountType(models.TextChoices):
    """How an account is treated when it owes; the policy per type is dunning's."""

    PAY_GO = "pay_go"
    STARTUP = "startup"
    ELECTION = "election"
    GALILEO = "galileo"
    EMPLOYEE = "employee"
    INTERN = "intern"
    PANGEA = "pangea"
    PARTNERS_BASIC = "partners_basic"
    ENTERPRISE = "enterprise"
    CLOUDFLARE_ENT = "cloudflare_ent"
    AD_HOC_CONTRACT = "ad_hoc_contract"
    PARTNERS_ENT = "partners_ent"
    MSP = "msp"
    PARTNER = "partner"
    PARTNERS_PAY_GO = "partners_pay_go"
    SFCC = "sfcc"
    JDC = "jdc"
    IBM = "ibm"
    SPONSORED = "sponsored"
    ACADEMIC = "academic"
    CHINA = "china"


CONTRACT_TYPES = frozenset({
    AccountType.ENTERPRISE,
    AccountType.CLOUDFLARE_ENT,
    AccountType.AD_HOC_CONTRACT,
    AccountType.PARTNERS_ENT,
    AccountType.MSP,
})  # fmt: skip


class Account(models.Model):
    """Who exists. Locked (`lock.py`) by whoever writes anything about the account."""

    class Type(models.TextChoices):
        STANDARD = "standard"
        ENTERPRISE = "enterprise"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    name = models.CharField(max_length=160)
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.STANDARD)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "account"
        constraints = [models.CheckConstraint(condition=is_hex_id("id"), name="account_id_is_hex")]

    def __str__(self) -> str:
        return self.name


class SubsAccount(models.Model):
    """The billing profile. Profile and type: `profile.py`; flags and restrictions: written by dunning alone."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="subs_account")
    email = models.EmailField(max_length=254, help_text="where invoices and notices go")
    account_type = models.CharField(max_length=24, choices=AccountType.choices, default=AccountType.PAY_GO)
    flags = models.BigIntegerField(default=0, help_text="bitmask, see accounts/flags.py; bit 15 = bad debt")
    banned_at = models.DateTimeField(null=True, blank=True)
    banned_rule = models.CharField(max_length=80, blank=True, help_text="the dunning rule that banned")
    payment_method_required_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=8, null=True, blank=True, help_text="of notices; null: English")  # noqa: DJ001
    product_sets = ArrayField(
        models.CharField(max_length=40), null=True, blank=True, help_text="sets of plans that not everybody may buy"
    )
    company = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="who is billed; empty: who the account is"
    )
    tax_id = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="of who is billed, as printed, in capitals"
    )

    class Meta:
        db_table = "subs_account"
        indexes = [models.Index(fields=["email"], name="subs_account_email")]
        constraints = [
            models.CheckConstraint(
                condition=Q(banned_at__isnull=True, banned_rule="") | (Q(banned_at__isnull=False) & ~Q(banned_rule="")),
                name="subs_account_ban_names_its_rule",
            ),
            models.CheckConstraint(condition=Q(account_type__in=AccountType.values), name="subs_account_type_is_known"),
            models.CheckConstraint(condition=Q(tax_id__regex=f"^({TAX_ID})?$"), name="subs_account_tax_id_is_plain"),
        ]

    def __str__(self) -> str:
        return f"billing profile of {self.account_id}"

    @property
    def has_bad_debt(self) -> bool:
        return has_flag(self.flags, AccountFlag.BAD_DEBT)


class Customer(models.Model):
    """
    The mapping account ↔ payment processors.

    Written by `billing/customers.py`; `bad_debt_since` by dunning alone. Two accounts may share a
    Stripe customer ("merged"), so the id is indexed and not unique.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="customer")
    stripe_customer_id = models.CharField(max_length=64, blank=True, db_index=True)
    braintree_customer_id = models.CharField(max_length=64, blank=True, db_index=True)
    bad_debt_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subs_customer"

    def __str__(self) -> str:
        return self.stripe_customer_id or f"customer of {self.account_id}"


class Zone(models.Model):
    """A domain served for an account: what zone plans and zone add-ons are attached to."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="zones")
    name = models.CharField(max_length=253)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "zone"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="zone_id_is_hex"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="zone_name_is_served_once"
            ),
        ]
        indexes = [
            models.Index(fields=["name"], condition=Q(deleted_at__isnull=False), name="zone_by_former_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody who signs in. One person may be a member of several accounts."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True, help_text="lower case")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.email


class Member(models.Model):
    """A person's role in one account; `roles.py` says what it allows."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=24, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField()

    class Meta:
        db_table = "member"
        constraints = [models.UniqueConstraint(fields=["account", "person"], name="member_has_one_role_per_account")]

    def __str__(self) -> str:
        return f"{self.person_id} as {self.role}"


class ApiToken(models.Model):
    """
    A bearer token: 256 random bits, of which only the SHA-256 is kept.

    A person's token acts in the accounts the person belongs to (`account_ids` null) or in a part of
    them. A service's token has no person; its scopes say what it may do.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, db_index=True, help_text="first characters, to recognise a token by")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hex")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens")
    account_ids = ArrayField(models.CharField(max_length=32), null=True, blank=True)
    scopes = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(help_text="machine time, like the two below: a token protects a process")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class JournalEntry(models.Model):
    """
    One fact that happened. Append-only (a trigger refuses change); written by `journal.emit` alone.

    Entries of one account are numbered in commit order by `sequence`; facts of no account (the
    catalogue's) have neither account nor sequence.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="journal")
    sequence = models.BigIntegerField(null=True, help_text="1, 2, 3 … within the account, in commit order")
    kind = models.CharField(max_length=64)
    actor = models.CharField(max_length=160, help_text="customer:…, agent:…, service:… or system:…")
    reason = models.CharField(max_length=400, blank=True)
    cause = models.CharField(max_length=160, blank=True, help_text="what led to it: an event, a workflow, a request")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    correlation_id = models.CharField(max_length=64, blank=True, help_text="the event or request that it is part of")
    at = models.DateTimeField(help_text="business time")
    recorded_at = models.DateTimeField(help_text="machine time")

    class Meta:
        db_table = "journal_entry"
        verbose_name_plural = "journal entries"
        indexes = [
            models.Index(fields=["correlation_id"], condition=~Q(correlation_id=""), name="journal_entry_correlated")
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "sequence"], name="journal_entry_sequence_is_unique"),
            models.CheckConstraint(
                condition=Q(account__isnull=True, sequence__isnull=True) | Q(account__isnull=False, sequence__gt=0),
                name="journal_entry_sequence_belongs_to_an_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.sequence}"


class JournalDelivery(Lease):
    """An entry that one consumer has not dealt with yet; deleted when it has. No row left = all delivered."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="deliveries")
    account_id = models.CharField(max_length=32, null=True)  # noqa: DJ001  null as in the entry
    consumer = models.CharField(max_length=16)

    class Meta:
        db_table = "journal_delivery"
        verbose_name_plural = "journal deliveries"
        indexes = [
            models.Index(fields=["consumer", "next_at", "id"], name="journal_delivery_due"),
            models.Index(
                Left(MD5(Coalesce("account_id", Value(""))), 1),
                "id",
                condition=Q(consumer="fanout"),
                name="journal_delivery_by_shard",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} for {self.consumer}"


class Notice(Lease):
    """
    Something that an account is told by e-mail, once: one row per account, kind, what it is about, and level.

    Written by `notices/tell.py` in the transaction of the fact, sent by `notices/send.py`. To whom is looked up when it
    is sent; `facts` holds what the text says, by the names of `notices/words.py`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=40, help_text="a row of notices/kinds.py")
    about = models.CharField(max_length=80, help_text="the id of what it tells of: an invoice, a workflow, …")
    level = models.PositiveSmallIntegerField(default=0, help_text="0, or which time this is said of the same thing")
    language = models.CharField(max_length=8)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True, help_text="when nobody would take it for days")

    class Meta:
        db_table = "notice"
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "about", "level"], name="notice_is_written_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(sent_at__isnull=True, given_up_at__isnull=True), name="notice_due"
            ),
            models.Index(fields=["-created_at"], name="notice_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} about {self.about}"


class RequestCount(models.Model):
    """Requests of one window of one limit, counted here while Redis is gone. Written by `throttle.py`."""

    key = models.CharField(primary_key=True, max_length=120)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True, help_text="machine time after which the row goes")

    class Meta:
        db_table = "request_count"

    def __str__(self) -> str:
        return self.key


class JournalWatermark(models.Model):
    """
    Up to which number the journal is complete, so that reading on from there misses nothing. One row.

    Moved on by `journal_feed.py`: what is pending is settled when every transaction that ran at its time is over.
    """

    settled_id = models.BigIntegerField(default=0, help_text="no entry up to this number can still appear")
    pending_id = models.BigIntegerField(default=0, help_text="the newest entry when it was last looked")
    pending_horizon = models.BigIntegerField(default=0, help_text="the database's next transaction id then")

    class Meta:
        db_table = "journal_watermark"

    def __str__(self) -> str:
        return f"up to {self.settled_id}"


class SubsStuckEvent(models.Model):
    """Something from outside that could not be processed, kept until it can. Written by `stuck.py` alone."""

    class Source(models.TextChoices):
        STRIPE = "stripe"
        BRAINTREE = "braintree"
        QUEUE = "queue"

    class Reason(models.TextChoices):
        UNKNOWN_CUSTOMER = "unknown_customer"
        MERGED_ACCOUNT = "merged_account"
        VERSION = "version"
        HANDLER_ERROR = "handler_error"
        RETRIES_EXHAUSTED = "retries_exhausted"
        NO_HANDLER = "no_handler"
        REFUND_FAILED = "refund_failed"

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    external_id = models.CharField(max_length=255, help_text="the event's id where it comes from")
    kind = models.CharField(max_length=120, help_text="the event's type")
    reason = models.CharField(max_length=32, choices=Reason.choices)
    signature = models.CharField(max_length=200, help_text="what items of one cause have in common, to group by")
    customer_reference = models.CharField(max_length=255, blank=True, db_index=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True)
    stuck_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)
    owner = models.CharField(
        max_length=160, blank=True, default="", db_default="", help_text="agent:…, who looks after it; empty: nobody"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subs_stuck_events"
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="stuck_event_is_unique")]
        indexes = [
            models.Index(fields=["stuck_at"], condition=Q(resolved_at__isnull=True), name="stuck_event_open"),
            models.Index(fields=["signature"], name="stuck_event_by_signature"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}: {self.reason}"
