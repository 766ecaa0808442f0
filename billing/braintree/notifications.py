"""Is this notification really Braintree's, and what does it say?"""

from dataclasses import dataclass
from datetime import UTC, datetime

from braintree.exceptions.invalid_challenge_error import InvalidChallengeError
from braintree.exceptions.invalid_signature_error import InvalidSignatureError

from .client import gateway


class Unreadable(Exception):
    """It is Braintree's, and can't be read; `place` says which error that was. Nobody else can cause it."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class NotBraintrees(Exception):
    """The signature is missing, or was made with another key or over another text. Nothing of it was read."""


@dataclass(frozen=True, slots=True)
class Notification:
    """The parts that are kept in columns; `told_at` is Braintree's clock."""

    kind: str
    told_at: datetime


def verify(signature: str, payload: str) -> Notification:
    """
    Return what a signed notification says.

    :raises NotBraintrees: it is not signed by Braintree with our keys.
    :raises Unreadable: it is, but can't be read.
    """
    try:
        said = gateway().webhook_notification.parse(signature, payload)
    except (InvalidSignatureError, UnicodeEncodeError):
        raise NotBraintrees from None
    except Exception as error:
        raise Unreadable(type(error).__name__) from error
    if not isinstance(said.kind, str) or not isinstance(said.timestamp, datetime):
        raise Unreadable("no kind or no time")
    return Notification(said.kind, said.timestamp.replace(tzinfo=UTC))


def answer(challenge: str) -> str:
    """
    Return the proof that this address is ours, which Braintree asks for once.

    :raises NotBraintrees: it is no challenge of theirs.
    """
    try:
        return str(gateway().webhook_notification.verify(challenge))
    except InvalidChallengeError:
        raise NotBraintrees from None
