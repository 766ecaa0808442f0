"""The registry of the journal's kinds is whole."""

import pytest
from jsonschema import Draft202012Validator

from accounts.journal_kinds import KINDS, TOPICS, family_of, topic_of
from tests.source import APPS_HERE, files, module

SOURCE = "\n".join(path.read_text() for path in files(*APPS_HERE) if module(path) != "accounts.journal_kinds")


def test_the_rows_are_sorted():
    assert list(KINDS) == sorted(KINDS)
    assert list(TOPICS) == sorted(TOPICS)


def test_every_family_has_a_topic_and_no_topic_is_of_a_family_that_nobody_writes():
    assert {family_of(kind) for kind in KINDS} == set(TOPICS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_written_somewhere_and_its_examples_are_what_it_says(kind):
    row = KINDS[kind]

    assert f'"{kind}"' in SOURCE
    assert topic_of(kind)
    assert row.sentence[0].isupper()
    assert not row.sentence.endswith(".")
    for field in (row.after, row.before):
        Draft202012Validator.check_schema(dict(field.schema))
        Draft202012Validator(dict(field.schema)).validate(field.example)
