"""What we ask of Stripe is on one page, made from the source, and stays small."""

from billing.cfstripe.describe import MOST_OPERATIONS, document, find_calls, used
from tests.source import ROOT

# Who sets the system up asks for these by hand, and sees what there is first.
WITHOUT_KEY = {"webhook_endpoints.create", "webhook_endpoints.choose"}


def test_the_page_is_what_the_source_says() -> None:
    assert (ROOT / "docs" / "stripe_calls.md").read_text() == document(), "run `manage.py describe_stripe_calls`"


def test_few_operations_are_used() -> None:
    assert 15 < len(used(find_calls())) <= MOST_OPERATIONS


def test_whatever_changes_something_carries_a_key_of_ours() -> None:
    bare = [call.function for call in find_calls() if call.http.startswith("POST") and not call.key]

    assert set(bare) <= WITHOUT_KEY


def test_every_call_has_a_caller() -> None:
    assert [call.function for call in find_calls() if not call.callers] == []
