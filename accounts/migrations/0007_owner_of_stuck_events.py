from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0006_journal_watermark"),
    ]

    operations = [
        migrations.AddField(
            model_name="subsstuckevent",
            name="owner",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="agent:…, who looks after it; empty: nobody",
                max_length=160,
            ),
        ),
        AddIndexConcurrently(
            model_name="subsstuckevent",
            index=models.Index(fields=["signature"], name="stuck_event_by_signature"),
        ),
    ]
