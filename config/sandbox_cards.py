"""The test cards that the sandbox knows. There is one table of them, and it is the sandbox's."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

from django.conf import settings


class NoSandbox(Exception):
    """Payments go to Stripe itself, or the sandbox does not answer: no list of cards can be had."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card number and how the bank behind it answers."""

    number: str
    brand: str
    behaviour: str


def listed_cards() -> tuple[Card, ...]:
    """
    Return the sandbox's cards, in its order.

    :raises NoSandbox: see there; the message says which.
    """
    if settings.STRIPE_API_KEY != settings.SANDBOX_API_KEY:
        raise NoSandbox("Payments go to Stripe here, not to the sandbox: there are no cards to simulate.")
    try:
        with urllib.request.urlopen(f"{settings.STRIPE_API_BASE}/_sandbox/cards", timeout=5) as answer:  # noqa: S310  ours
            return tuple(Card(**card) for card in json.load(answer)["cards"])
    except (urllib.error.URLError, OSError) as error:
        raise NoSandbox(f"The sandbox at {settings.STRIPE_API_BASE} does not answer.") from error


def refusal_of(number: str) -> str:
    """
    Return why this number can't be stored, in words; "" if it is one of the listed cards.

    :raises NoSandbox: there is no list.
    """
    if any(card.number == number for card in listed_cards()):
        return ""
    return "This is not one of the test cards, and no other number is ever taken. `simulate_card --list` shows them."
