from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0008_access_and_former_zones"),
    ]

    operations = [
        AddIndexConcurrently(model_name="notice", index=models.Index(fields=["-created_at"], name="notice_newest")),
    ]
