from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0009_newest_notices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="journalentry",
            name="correlation_id",
            field=models.CharField(blank=True, help_text="the event or request that it is part of", max_length=64),
        ),
        AddIndexConcurrently(
            model_name="journalentry",
            index=models.Index(
                condition=models.Q(("correlation_id", ""), _negated=True),
                fields=["correlation_id"],
                name="journal_entry_correlated",
            ),
        ),
    ]
