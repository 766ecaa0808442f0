from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("billing", "0017_refunding_changes")]
    operations = [
        AddIndexConcurrently(
            model_name="credit",
            index=models.Index(fields=["-granted_at"], name="credit_newest"),
        ),
        AddIndexConcurrently(
            model_name="ledgertransaction",
            index=models.Index(
                condition=models.Q(("kind__in", ["finalized", "paid", "credit_used"]), _negated=True),
                fields=["kind", "-posted_at"],
                name="ledger_transaction_rare",
            ),
        ),
    ]
