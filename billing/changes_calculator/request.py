"""What the pipeline is asked, and what it answers. Pure."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from .licences import Licence


class Origin(StrEnum):
    """The door a change came through; stored."""

    DASHBOARD = "dashboard"
    IAPI = "iapi"
    CATALOG = "catalog"
    CF_QUEUES = "cf_queues"
    NINJAPANEL = "ninjapanel"
    SYSTEM = "system"


class ObjectKind(StrEnum):
    """What a subscription is attached to."""

    ZONE = "zone"
    ACCOUNT = "account"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class ComponentValue:
    """So many of a component, what the plan includes counted in."""

    name: str
    value: int


class RegistrationWish(StrEnum):
    """What the registrar asks for a domain."""

    PAID = "paid"
    RENEWS = "renews"
    ENDS_AT_EXPIRY = "ends_at_expiry"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Registration:
    """A domain as the registrar has it: PAID is wanted for `years` up to `expires_at`."""

    domain: str
    wish: RegistrationWish
    expires_at: datetime
    years: int = 1


@dataclass(frozen=True, slots=True)
class Want:
    """
    The wish that one object be subscribed to a plan.

    `plan_name` and `interval_name` are as the caller said them (any case, known aliases); Validate refuses what it
    can't find. A cancellation names the plan that is to end; of a tier the free one remains. With a
    licence nothing is bought: the plan is granted. `registration` is what a domain's is about, and nothing else's.
    """

    object_kind: ObjectKind
    object_id: str
    plan_name: str
    interval_name: str | None = None
    components: tuple[ComponentValue, ...] = ()
    is_cancellation: bool = False
    licence: Licence | None = None
    registration: Registration | None = None
    at_current_price: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """
    What one caller wants of one account, all of it or nothing: mostly one thing, in a cart several.

    `requested_at` is read once, at the door, in business time: it is the time of the whole change. `id` becomes
    the workflow's. `supersedes`: a change that still waits for its customer is given up for this one.
    """

    account_id: str
    wants: tuple[Want, ...]
    origin: Origin
    actor: str
    on_session: bool
    requested_at: datetime
    correlation_id: str = ""
    supersedes: bool = False
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def object_ids(self) -> tuple[str, ...]:
        """The objects that are to change, each once, in the order they were named."""
        return tuple(dict.fromkeys(want.object_id for want in self.wants))

    @property
    def is_of_domains(self) -> bool:
        """Whether this is the registrar's to ask: domains go their own way through Validate and Plan."""
        return any(want.registration is not None for want in self.wants)

    def digest(self) -> str:
        """Return what two wishes for the same state have in common, whoever has them and whenever."""
        wishes = sorted(
            (
                want.object_kind.value,
                want.object_id,
                want.plan_name.lower(),
                (want.interval_name or "").lower(),
                sorted((component.name, component.value) for component in want.components),
                want.is_cancellation,
                *_licence(want).values(),
                *(["at_current_price"] if want.at_current_price else []),
                *((want.registration.wish, want.registration.expires_at.isoformat()) if want.registration else ()),
            )
            for want in self.wants
        )
        return hashlib.sha256(json.dumps(wishes).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the wish as a workflow keeps it."""
        return {
            "on_session": self.on_session,
            "wants": [
                {
                    "object_kind": want.object_kind.value,
                    "object_id": want.object_id,
                    "plan_name": want.plan_name,
                    "interval_name": want.interval_name,
                    "components": {component.name: component.value for component in want.components},
                    "is_cancellation": want.is_cancellation,
                    **_licence(want),
                    **({"at_current_price": True} if want.at_current_price else {}),
                }
                for want in self.wants
            ],
        }


def _licence(want: Want) -> dict[str, str]:
    """The licence in words, nothing for what is bought."""
    if want.licence is None:
        return {}
    ends_at = want.licence.ends_at
    return {
        "licence": want.licence.source,
        "ends_at": ends_at.isoformat() if ends_at else "",
        "becomes": want.licence.becomes.lower(),
    }


class Outcome(StrEnum):
    """How a request that was not refused ended."""

    UNCHANGED = "unchanged"
    SCHEDULED = "scheduled"
    COMMITTED = "committed"
    AWAITING_PAYMENT = "awaiting_payment"


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What came of a request. `client_secret` is empty unless the customer must act."""

    outcome: Outcome
    workflow_id: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change can't be made: a stable code, and what the customer can do about it."""

    code: str
    message: str


class ChangeRefused(Exception):
    """The change breaks a rule; nothing was begun. Holds every reason, the most important first."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals

    @property
    def code(self) -> str:
        return self.refusals[0].code


class PaymentDeclined(Exception):
    """The payment was declined and the change not made; what Stripe had begun is undone."""

    def __init__(self, code: str, message: str, *, workflow_id: str) -> None:
        super().__init__(message)
        self.code = code
        self.workflow_id = workflow_id


class PaymentUnavailable(Exception):
    """The processor could not be reached. The change waits and goes on by itself; asking again finds it."""

    code = "processor_unavailable"
    retry_after_seconds = 5
