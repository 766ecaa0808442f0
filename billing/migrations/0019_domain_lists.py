from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("billing", "0018_credit_and_ledger_lists"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="domaincharge", index=models.Index(fields=["domain"], name="domain_charge_of_domain")
        ),
        AddIndexConcurrently(
            model_name="domaincharge", index=models.Index(fields=["-expires_at"], name="domain_charge_by_expiry")
        ),
        AddIndexConcurrently(
            model_name="domaincharge",
            index=models.Index(
                condition=models.Q(("workflow_id", ""), _negated=True),
                fields=["workflow_id"],
                name="domain_charge_of_change",
            ),
        ),
    ]
