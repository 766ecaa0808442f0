import django.contrib.postgres.fields
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0007_owner_of_stuck_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="subsaccount",
            name="product_sets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                help_text="sets of plans that not everybody may buy",
                null=True,
                size=None,
            ),
        ),
        AddIndexConcurrently(
            model_name="zone",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["name"], name="zone_by_former_name"
            ),
        ),
    ]
