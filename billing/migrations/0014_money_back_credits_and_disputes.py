import accounts.models
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_notices"),
        ("billing", "0013_price_migrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Charge",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                (
                    "processor_payment_id",
                    models.CharField(blank=True, help_text="pi_… at Stripe, a transaction else", max_length=64),
                ),
                (
                    "processor_charge_id",
                    models.CharField(blank=True, db_index=True, help_text="ch_…, once it is known", max_length=64),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("charged_at", models.DateTimeField()),
            ],
            options={
                "db_table": "charge",
            },
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                (
                    "code",
                    models.CharField(
                        help_text="as the customer types it, in capitals",
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "credit_days",
                    models.PositiveIntegerField(
                        blank=True, help_text="how long the credit lasts; empty: ever", null=True
                    ),
                ),
                ("redeemable_until", models.DateTimeField(blank=True, null=True)),
                ("actor", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "coupon",
            },
        ),
        migrations.CreateModel(
            name="Credit",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("promotional", "Promotional"),
                            ("goodwill", "Goodwill"),
                            ("prepaid", "Prepaid"),
                            ("free_tier", "free tier"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("remaining_minor", models.BigIntegerField()),
                ("reserved_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, help_text="when it had expired or was taken back", null=True),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="what it is for: granting it twice is refused", max_length=120, unique=True
                    ),
                ),
                ("actor", models.CharField(max_length=160)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("granted_at", models.DateTimeField()),
            ],
            options={
                "db_table": "credit",
            },
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_credit_note_id", models.CharField(blank=True, max_length=64)),
                ("number", models.CharField(blank=True, db_index=True, max_length=64)),
                ("is_ours", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("asked", "Asked"), ("issued", "Issued"), ("refused", "Refused"), ("void", "Void")],
                        max_length=8,
                    ),
                ),
                (
                    "why",
                    models.CharField(help_text="honest_debt, refund, goodwill, correction or stripe", max_length=24),
                ),
                ("currency", models.CharField(max_length=3)),
                ("subtotal_minor", models.BigIntegerField()),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField()),
                ("off_debt_minor", models.BigIntegerField(default=0)),
                ("to_method_minor", models.BigIntegerField(default=0)),
                ("to_credit_minor", models.BigIntegerField(default=0)),
                ("memo", models.CharField(blank=True, help_text="what the customer reads", max_length=250)),
                ("refusal_code", models.CharField(blank=True, max_length=64)),
                ("actor", models.CharField(max_length=160)),
                ("asked_at", models.DateTimeField()),
                ("issued_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "credit_note",
            },
        ),
        migrations.CreateModel(
            name="CreditNoteLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount_minor", models.BigIntegerField(help_text="of the line's sign: a negative line's is negative")),
            ],
            options={
                "db_table": "credit_note_line",
            },
        ),
        migrations.CreateModel(
            name="CreditUse",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "given_back_minor",
                    models.BigIntegerField(default=0, help_text="of what was used: gone back to the credit since"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("reserved", "Reserved"), ("used", "Used"), ("freed", "Freed")], max_length=8
                    ),
                ),
                ("reserved_at", models.DateTimeField()),
            ],
            options={
                "db_table": "credit_use",
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_dispute_id", models.CharField(max_length=64, unique=True)),
                (
                    "status",
                    models.CharField(help_text="Stripe's word; an inquiry's begins with warning_", max_length=24),
                ),
                ("reason", models.CharField(max_length=40)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("evidence_due_at", models.DateTimeField(blank=True, null=True)),
                ("evidence_text", models.TextField(blank=True, max_length=20000)),
                (
                    "refused_code",
                    models.CharField(blank=True, help_text="why Stripe did not take the last answer", max_length=64),
                ),
                ("opened_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "dispute",
            },
        ),
        migrations.CreateModel(
            name="InvoiceAct",
            fields=[
                ("next_at", models.DateTimeField(help_text="business time before which nobody takes the row")),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="how often the work was tried and failed"),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, help_text="machine time until which the row is taken", null=True),
                ),
                (
                    "lease_backend",
                    models.CharField(blank=True, help_text="the database session of who took it", max_length=64),
                ),
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("credit_note", "credit_note"),
                            ("uncollectible", "uncollectible"),
                            ("write_off", "write_off"),
                            ("void", "void"),
                        ],
                        max_length=16,
                    ),
                ),
                ("actor", models.CharField(max_length=160)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("asked_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("refused_code", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "db_table": "invoice_act",
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.new_id, editable=False, max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("stripe_refund_id", models.CharField(blank=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("refused", "the processor did not take it"),
                            ("as_credit", "failed, and given as credit instead"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("failure_code", models.CharField(blank=True, max_length=64)),
                ("asked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "refund",
            },
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_is_not_overpaid",
        ),
        migrations.AddField(
            model_name="invoice",
            name="carried_minor",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="cents carried here; negative: on to the next invoice"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credited_minor",
            field=models.BigIntegerField(db_default=0, default=0, help_text="what credit notes took off the debt"),
        ),
        migrations.AddField(
            model_name="invoice",
            name="paid_elsewhere_minor",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="what came by another way than Stripe's invoice"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="written_off_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="ledgertransaction",
            name="corrects",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="billing.ledgertransaction",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="paid_minor",
            field=models.BigIntegerField(default=0, help_text="what Stripe collected for it"),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="book",
            field=models.CharField(
                choices=[
                    ("receivable", "what customers owe"),
                    ("disputed", "what banks took back while a dispute is open"),
                    ("rebillable", "what disputes lost to us, not billed again yet"),
                    ("carried_forward", "cents too few to charge, carried to the next invoice"),
                    ("cash_stripe", "what Stripe holds for us"),
                    ("cash_braintree", "what Braintree holds for us"),
                    ("cash_outside", "what was paid outside of both processors"),
                    ("refund_due", "what is to go back to customers"),
                    ("customer_credit", "credit that customers have left"),
                    ("revenue", "what was sold"),
                    ("tax_payable", "what belongs to tax offices"),
                    ("credit_given", "credit that we gave away"),
                    ("written_off", "debt that nobody will pay"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="ledgertransaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("finalized", "An invoice was finalised"),
                    ("paid", "An invoice was paid"),
                    ("paid_elsewhere", "An invoice was paid by another way than its own"),
                    ("voided", "An invoice was voided"),
                    ("credit_granted", "Credit was granted"),
                    ("credit_used", "Credit paid for a part of an invoice"),
                    ("credit_ended", "Unused credit ended"),
                    ("credit_note", "A credit note made an invoice smaller"),
                    ("credit_note_voided", "A credit note was taken back"),
                    ("refund", "Money went back to the customer"),
                    ("refund_failed", "A refund came back to us"),
                    ("written_off", "A debt was written off"),
                    ("dispute_opened", "A bank took a payment back for a dispute"),
                    ("dispute_won", "A dispute was won"),
                    ("dispute_lost", "A dispute was lost"),
                    ("corrected", "An earlier transaction was corrected"),
                ],
                max_length=24,
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credited_minor__gte", 0),
                    ("paid_elsewhere_minor__gte", 0),
                    ("paid_minor__gte", 0),
                    ("written_off_minor__gte", 0),
                    models.Q(
                        models.Q(
                            ("credited_minor", 0),
                            ("paid_elsewhere_minor", 0),
                            ("paid_minor", 0),
                            ("written_off_minor", 0),
                        ),
                        (
                            "paid_minor__lte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("total_minor"), "+", models.F("carried_minor")
                                        ),
                                        "-",
                                        models.F("paid_elsewhere_minor"),
                                    ),
                                    "-",
                                    models.F("credited_minor"),
                                ),
                                "-",
                                models.F("written_off_minor"),
                            ),
                        ),
                        _connector="OR",
                    ),
                ),
                name="invoice_is_not_oversettled",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("corrects__isnull", False), ("kind", "corrected")),
                    models.Q(models.Q(("kind", "corrected"), _negated=True), ("corrects__isnull", True)),
                    _connector="OR",
                ),
                name="ledger_correction_names_what_it_corrects",
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="attempt",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="charge", to="billing.paymentattempt"
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="billing.invoice"
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="coupon_is_worth_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z0-9-]{4,40}$")), name="coupon_code_is_plain"
            ),
        ),
        migrations.CreateModel(
            name="CreditExpiry",
            fields=[
                ("next_at", models.DateTimeField(help_text="business time before which nobody takes the row")),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="how often the work was tried and failed"),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, help_text="machine time until which the row is taken", null=True),
                ),
                (
                    "lease_backend",
                    models.CharField(blank=True, help_text="the database session of who took it", max_length=64),
                ),
                (
                    "credit",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="expiry",
                        serialize=False,
                        to="billing.credit",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "credit expiries",
                "db_table": "credit_expiry",
            },
        ),
        migrations.AddField(
            model_name="credit",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credits", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="coupon",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credits",
                to="billing.coupon",
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="credit_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="billing.creditnote"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credited", to="billing.invoiceline"
            ),
        ),
        migrations.AddField(
            model_name="credituse",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_uses", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="credituse",
            name="credit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="billing.credit"
            ),
        ),
        migrations.AddField(
            model_name="credituse",
            name="invoice",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_uses",
                to="billing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="credituse",
            name="workflow",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_uses",
                to="billing.changeworkflow",
            ),
        ),
        migrations.CreateModel(
            name="DisputeDue",
            fields=[
                ("next_at", models.DateTimeField(help_text="business time before which nobody takes the row")),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="how often the work was tried and failed"),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, help_text="machine time until which the row is taken", null=True),
                ),
                (
                    "lease_backend",
                    models.CharField(blank=True, help_text="the database session of who took it", max_length=64),
                ),
                (
                    "dispute",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="due",
                        serialize=False,
                        to="billing.dispute",
                    ),
                ),
                (
                    "wanted",
                    models.CharField(
                        choices=[
                            ("submit", "send the evidence"),
                            ("accept", "give in"),
                            ("rebill", "bill what was lost"),
                        ],
                        max_length=8,
                    ),
                ),
                ("actor", models.CharField(max_length=160)),
                ("reason", models.CharField(blank=True, max_length=400)),
            ],
            options={
                "verbose_name_plural": "disputes due",
                "db_table": "dispute_due",
            },
        ),
        migrations.AddField(
            model_name="dispute",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="billing.charge"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="rebilled",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rebills",
                to="billing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="invoiceact",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="invoice_acts", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="invoiceact",
            name="credit_note",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="act",
                to="billing.creditnote",
            ),
        ),
        migrations.AddField(
            model_name="invoiceact",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="acts", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="billing.charge"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="credit_note",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refund",
                to="billing.creditnote",
            ),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(fields=["account", "-charged_at"], name="charge_of_account"),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("processor_payment_id", ""), _negated=True),
                fields=("processor_payment_id",),
                name="charge_is_recorded_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gte", 0),
                    ("refunded_minor__gte", 0),
                    ("refunded_minor__lte", models.F("amount_minor")),
                ),
                name="charge_is_not_refunded_beyond",
            ),
        ),
        migrations.AddIndex(
            model_name="creditexpiry",
            index=models.Index(fields=["next_at"], name="credit_expiry_due"),
        ),
        migrations.AddIndex(
            model_name="credit",
            index=models.Index(fields=["account", "expires_at"], name="credit_of_account"),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__regex", "^[0-9a-f]{32}$")), name="credit_id_is_hex"
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gt", 0),
                    ("remaining_minor__gte", models.F("reserved_minor")),
                    ("remaining_minor__lte", models.F("amount_minor")),
                    ("reserved_minor__gte", 0),
                ),
                name="credit_is_never_overspent",
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), ("remaining_minor", models.F("reserved_minor")), _connector="OR"
                ),
                name="credit_that_ended_is_gone",
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.UniqueConstraint(
                fields=("account", "coupon"), name="credit_of_a_coupon_is_once_per_account"
            ),
        ),
        migrations.AddIndex(
            model_name="creditnote",
            index=models.Index(fields=["account", "-asked_at"], name="credit_note_of_account"),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__regex", "^[0-9a-f]{32}$")), name="credit_note_id_is_hex"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("off_debt_minor__gte", 0),
                    ("tax_minor__gte", 0),
                    ("to_credit_minor__gte", 0),
                    ("to_method_minor__gte", 0),
                    (
                        "total_minor",
                        django.db.models.expressions.CombinedExpression(
                            models.F("subtotal_minor"), "+", models.F("tax_minor")
                        ),
                    ),
                    ("total_minor__gt", 0),
                    (
                        "total_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("off_debt_minor"), "+", models.F("to_method_minor")
                            ),
                            "+",
                            models.F("to_credit_minor"),
                        ),
                    ),
                ),
                name="credit_note_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("issued_at__isnull", True), ("status__in", ["asked", "refused"])),
                    models.Q(("issued_at__isnull", False), ("status__in", ["issued", "void"])),
                    _connector="OR",
                ),
                name="credit_note_issued_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_credit_note_id", ""), _negated=True),
                fields=("stripe_credit_note_id",),
                name="credit_note_is_mirrored_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnoteline",
            constraint=models.UniqueConstraint(fields=("credit_note", "line"), name="credit_note_credits_a_line_once"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteline",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor", 0), _negated=True), name="credit_note_line_is_not_zero"
            ),
        ),
        migrations.AddIndex(
            model_name="credituse",
            index=models.Index(fields=["invoice"], name="credit_use_of_invoice"),
        ),
        migrations.AddConstraint(
            model_name="credituse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gt", 0),
                    ("given_back_minor__gte", 0),
                    ("given_back_minor__lte", models.F("amount_minor")),
                ),
                name="credit_use_is_of_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="credituse",
            constraint=models.CheckConstraint(
                condition=models.Q(("workflow__isnull", False), ("invoice__isnull", False), _connector="OR"),
                name="credit_use_is_for_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="credituse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "used"), _negated=True), ("invoice__isnull", False), _connector="OR"
                ),
                name="credit_is_used_on_an_invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="disputedue",
            index=models.Index(fields=["next_at"], name="dispute_due_next"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["account", "-opened_at"], name="dispute_of_account"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="dispute_is_of_something"
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceact",
            index=models.Index(fields=["invoice", "-asked_at"], name="invoice_act_of_invoice"),
        ),
        migrations.AddIndex(
            model_name="invoiceact",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)), fields=["next_at"], name="invoice_act_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at__isnull", True)), fields=("invoice",), name="invoice_act_is_one_at_a_time"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["account", "-asked_at"], name="refund_of_account"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="refund_is_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_refund_id", ""), _negated=True),
                fields=("stripe_refund_id",),
                name="refund_is_mirrored_once",
            ),
        ),
    ]
