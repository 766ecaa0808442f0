"""What a planned change does, in the words of an act's preview: money, then access. Pure but for its cells."""

from billing.changes_calculator.change_set import STRIPE, ChangeSet, ElementChange
from billing.objectproducts.phases import Phase
from config.panel.acts import ActRefused, Preview
from config.panel.cells import lines, money

from .words import billed


def preview_of(change: ChangeSet) -> Preview:
    """
    Return what the change would do.

    :raises ActRefused: nothing: what is wanted is so already.
    """
    if change.is_empty:
        raise ActRefused("It is so already. There is nothing to do.")
    goes_off = [_price(each.before) for each in change.elements if _is_not_billed_any_more(each) and each.before]
    return Preview(
        money=[
            ("Charged now", money(change.due_now_minor, change.currency or "usd")),
            *([("Not billed any more", lines(*goes_off))] if goes_off else []),
            *([("Given back", "nothing; that is a decision of its own")] if goes_off else []),
        ],
        access=[
            *((_named(each), f"{_value(each.before)} → {_value(each.after)}, at once") for each in change.elements),
            *(
                (_named(each), f"{_value(each.before)} → {_value(each.after)}, {_when(each)}")
                for each in change.scheduled
            ),
        ],
    )


def _is_not_billed_any_more(element: ElementChange) -> bool:
    was_billed = element.before is not None and bool(element.before.stripe_price_id and element.before.amount_minor)
    return was_billed and element.license_source != STRIPE


def _price(phase: Phase) -> str:
    return f"{phase.rate_plan_id}, {billed(phase)}"


def _named(element: ElementChange) -> str:
    return element.product.replace("_", " ").capitalize()


def _value(phase: Phase | None) -> str:
    return "nothing" if phase is None or (phase.rank == 0 and not isinstance(phase.value, str)) else str(phase.value)


def _when(element: ElementChange) -> str:
    return f"on {element.after.starts_at:%Y-%m-%d %H:%M}" if element.after else "at the end of the period"
