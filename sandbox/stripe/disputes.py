"""Disputes: the customer's bank takes the money back, we answer with evidence, it is won or lost."""

from typing import Any

from sandbox.world import World

from .cards import BY_ALIAS
from .errors import invalid
from .events import emit
from .find import find, newest
from .ids import new_id
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, boolean, clearable, group, merged_metadata, metadata, one_of, text

Object = dict[str, Any]

ANSWER_SECONDS = 7 * 24 * 60 * 60
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
REASONS = ("duplicate", "fraudulent", "general", "product_not_received", "subscription_canceled", "unrecognized")
# What Stripe's test mode reads in the evidence to decide how the dispute ends.
DECIDING = {"winning_evidence": "won", "losing_evidence": "lost"}

EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
UPDATE = group(
    evidence=group(**dict.fromkeys(EVIDENCE, clearable(text))),
    intended_submission_method=one_of("manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"),
    metadata=metadata,
    submit=boolean,
)
RETRIEVE = group()
CLOSE = group()
LIST = group(charge=text, payment_intent=text, created=TIME_RANGE, **PAGE)
WARNINGS = group(charge=text, payment_intent=text, created=TIME_RANGE, **PAGE)


def retrieve(world: World, _params: Params, dispute_id: str) -> Object:
    return find(world, "dispute", dispute_id)


def list_disputes(world: World, params: Params) -> Object:
    found = newest(world, "dispute", charge=params.get("charge"), payment_intent=params.get("payment_intent"))
    return page((one for one in found if within(one["created"], params.get("created"))), params, "/v1/disputes")


def list_warnings(world: World, params: Params) -> Object:
    found = newest(
        world,
        "radar.early_fraud_warning",
        charge=params.get("charge"),
        payment_intent=params.get("payment_intent"),
    )
    return page(found, params, "/v1/radar/early_fraud_warnings")


def update(world: World, params: Params, dispute_id: str) -> Object:
    """Add evidence; with `submit` (the default) the bank gets it, and test evidence decides at once."""
    dispute = world.edit(find(world, "dispute", dispute_id))
    if dispute["status"] not in OPEN:
        raise invalid(f"This dispute is already closed: {dispute['status']}.")
    dispute["metadata"] = merged_metadata(dispute["metadata"], params.get("metadata"))
    dispute["intended_submission_method"] = params.get(
        "intended_submission_method", dispute["intended_submission_method"]
    )
    evidence = params.get("evidence", {})
    dispute["evidence"].update(evidence)
    if evidence:
        dispute["evidence_details"]["has_evidence"] = True
    if evidence and params.get("submit", True):
        dispute["evidence_details"]["submission_count"] += 1
        dispute["evidence_details"]["submission_method"] = "manual"
        warning = "warning_" if dispute["status"].startswith("warning") else ""
        dispute["status"] = f"{warning}under_review"
    emit(world, "charge.dispute.updated", dispute)
    decided = DECIDING.get(evidence.get("uncategorized_text") or "")
    if decided and dispute["status"] == "under_review":
        decide(world, dispute, outcome=decided)
    return dispute


def close(world: World, _params: Params, dispute_id: str) -> Object:
    """Accept a dispute: it is lost."""
    dispute = find(world, "dispute", dispute_id)
    if dispute["status"] not in OPEN:
        raise invalid(f"This dispute is already closed: {dispute['status']}.")
    decide(world, dispute, outcome="lost")
    return dispute


def open_dispute(world: World, charge: Object, *, reason: str) -> Object:
    """Open a dispute of a whole charge; an inquiry takes no money yet."""
    inquiry = reason == "inquiry"
    method = find(world, "payment_method", charge["payment_method"])
    due_at = world.now() + ANSWER_SECONDS
    dispute = world.add(
        {
            "id": new_id("du"),
            "object": "dispute",
            "amount": charge["amount"] - charge["amount_refunded"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": due_at,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "intended_submission_method": None,
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "network_reason_code": "10.4",
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": method["card"]["brand"],
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network": method["card"]["brand"],
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": "general" if inquiry else reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        }
    )
    world.edit(charge)["disputed"] = True
    world.agenda.plan("close_dispute", dispute["id"], due_at)
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        emit(world, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(world: World, dispute: Object, *, outcome: str) -> None:
    """Close a dispute as won or lost; won money comes back, and an inquiry just ends."""
    dispute = world.edit(dispute)
    inquiry = dispute["status"].startswith("warning")
    dispute["status"] = "warning_closed" if inquiry else outcome
    world.agenda.drop("close_dispute", dispute["id"])
    if inquiry:
        world.edit(find(world, "charge", dispute["charge"]))["disputed"] = False
    if outcome == "won" and not inquiry:
        emit(world, "charge.dispute.funds_reinstated", dispute)
    emit(world, "charge.dispute.closed", dispute)


def close_unanswered(world: World, dispute_id: str) -> None:
    """Lose a dispute that nobody answered in time; one under review waits for the bank, or for a control call."""
    dispute = world.edit(find(world, "dispute", dispute_id))
    dispute["evidence_details"]["past_due"] = True
    if dispute["status"] in ("needs_response", "warning_needs_response"):
        decide(world, dispute, outcome="lost")


def complain(world: World, charge_id: str) -> None:
    """Do what the test card of a charge is for: dispute it, or warn of fraud."""
    charge = find(world, "charge", charge_id)
    card = BY_ALIAS[find(world, "payment_method", charge["payment_method"])["_card"]]
    if card.dispute is not None:
        open_dispute(world, charge, reason=card.dispute)
    if card.early_fraud_warning:
        warning = world.add(
            {
                "id": new_id("issfr"),
                "object": "radar.early_fraud_warning",
                "actionable": True,
                "charge": charge["id"],
                "created": world.now(),
                "fraud_type": "unauthorized_use_of_card",
                "livemode": False,
                "payment_intent": charge["payment_intent"],
            }
        )
        emit(world, "radar.early_fraud_warning.created", warning)
