from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("billing", "0014_money_back_credits_and_disputes")]
    operations = [
        AddIndexConcurrently(
            model_name="ledgertransaction",
            index=models.Index(fields=["account", "-posted_at"], name="ledger_transaction_of_account"),
        ),
        AddIndexConcurrently(
            model_name="ledgertransaction",
            index=models.Index(fields=["-posted_at"], name="ledger_transaction_newest"),
        ),
    ]
