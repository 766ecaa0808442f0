"""What services are told is described, and the description is what they get."""

import pytest
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator

from accounts.journal_events import TO_SERVICES
from accounts.journal_schemas import example_of, schema_of
from config.management.commands import describe_events


def test_the_files_are_up_to_date():
    call_command("describe_events", "--check")


def test_a_file_that_is_out_of_date_is_named_and_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(describe_events, "FOLDER", tmp_path)
    call_command("describe_events")
    (tmp_path / "zone.created.schema.json").write_text("{}")
    (tmp_path / "gone.schema.json").write_text("{}")

    with pytest.raises(CommandError, match=r"gone\.schema\.json, zone\.created\.schema\.json would change"):
        call_command("describe_events", "--check")

    call_command("describe_events")
    call_command("describe_events", "--check")


@pytest.mark.parametrize("kind", TO_SERVICES)
def test_an_example_is_what_its_schema_says_and_more_may_come(kind):
    schema = Draft202012Validator(schema_of(kind))

    schema.validate(example_of(kind))
    schema.validate(example_of(kind) | {"later": 1})
    assert not schema.is_valid(example_of(kind) | {"type": "paygo.other"})
