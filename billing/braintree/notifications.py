"""Is this notification really Braintree's, and what does it say?"""

from dataclasses import dataclass
from datetime import UTC, datetime

from braintree.exceptions.invalid_challenge_error import InvalidChallengeError
from braintree.exceptions.invalid_signature_error import InvalidSignatureError

from .client import gateway


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
    :raises ValueError: it is, but can't be read.
    """
    try:
        said = gateway().webhook_notification.parse(signature, payload)
    except (InvalidSignatureError, UnicodeEncodeError):
        raise NotBraintrees from None
    except Exception as error:
        raise ValueError("not a notification") from error
    if not isinstance(said.kind, str) or not isinstance(said.timestamp, datetime):
        raise ValueError("not a notification")
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
