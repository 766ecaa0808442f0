"""What is owned without being paid for: who says so, in `license_source_id`. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

FREE_LICENSE = "USER:free"
USAGE_LICENSE = "USER:usage"
TRIAL = "USER:trial"

_GRANTS = ("ADMIN:", "USER:", "CONTRACT:")
_ASKED_FOR = re.compile(r"^(ADMIN:[^\s].{0,118}|USER:(?!free$|usage$)[a-z][a-z0-9_-]{0,58}|CONTRACT:CONTRACT)$")


class InvalidLicence(ValueError):
    """No such licence can be granted; the message says what is wrong."""

    code = "invalid_licence"


@dataclass(frozen=True, slots=True)
class Licence:
    """
    The wish that something be owned without a payment, until it is ended or replaced; nothing is charged.

    A trial ends by itself, at `ends_at`; then the zone or account has the plan `becomes`, charged off-session, or
    what is free where that is empty.

    :raises InvalidLicence: the source has no form that can be asked for, or only half of a trial is said.
    """

    source: str
    ends_at: datetime | None = None
    becomes: str = ""

    def __post_init__(self) -> None:
        if not _ASKED_FOR.match(self.source):
            raise InvalidLicence("granted_by: say ADMIN:<reason>, USER:<what>, USER:trial or CONTRACT:CONTRACT.")
        if (self.source == TRIAL) != (self.ends_at is not None):
            raise InvalidLicence("ends_on: a trial has an end, and nothing else has one.")
        if self.becomes and self.ends_at is None:
            raise InvalidLicence("becomes: only a trial becomes something at its end.")


def is_grant(license_source_id: str) -> bool:
    """Whether somebody grants it in the place of a payment: neither billed, nor free or billed by use alone."""
    return license_source_id.startswith(_GRANTS) and license_source_id not in {FREE_LICENSE, USAGE_LICENSE}


def is_billed(license_source_id: str) -> bool:
    """Whether Stripe bills it."""
    return license_source_id.startswith(("sub_", "in_"))
