"""What wakes the engine. Each looks for due rows until there are none."""

from config import clock
from config.celery import task

from .changes_calculator.apply_scheduled import apply_due
from .changes_calculator.left_clocks import follow_due
from .changes_calculator.resume import resume_due
from .changes_calculator.tidy import tidy_due
from .charge_domains import charge_due
from .deliveries import deliver_due
from .invoicing.advance import advance_due
from .invoicing.carry_out import carry_out_due
from .invoicing.check_ledger import report_differences
from .invoicing.credits import expire_due
from .invoicing.find_missed import find_missed
from .invoicing.internal_clock import bill_until
from .payments.look_up import look_up_due
from .queues.domain_events import consume_due
from .switches import make_switches
from .trials import end_trials


@task("billing.resume_workflows")
def resume_workflows() -> None:
    """Take changes on that were left behind."""
    while resume_due(now=clock.now()):
        continue


@task("billing.deliver_journal")
def deliver_journal() -> None:
    """Act on what the journal has for billing."""
    while deliver_due(now=clock.now()):
        continue


@task("billing.check_ledger")
def check_ledger() -> None:
    """Compare the ledger with what it stands for."""
    report_differences()


@task("billing.consume_domain_events")
def consume_domain_events() -> None:
    """Act on what the registrar tells of domains."""
    while consume_due(now=clock.now()):
        continue


@task("billing.charge_domains")
def charge_domains() -> None:
    """Charge what the registrar asks to be paid."""
    while charge_due(now=clock.now()):
        continue


@task("billing.apply_scheduled")
def apply_scheduled() -> None:
    """Make the scheduled changes whose time has come."""
    while apply_due(now=clock.now()) + make_switches(now=clock.now()) + end_trials(now=clock.now()):
        continue


@task("billing.advance_invoices")
def advance_invoices() -> None:
    """Finalise and collect the invoices that are due."""
    while advance_due(now=clock.now()):
        continue


@task("billing.find_missed")
def look_for_missed() -> None:
    """Ask Stripe about renewals whose news is late."""
    while find_missed(now=clock.now()):
        continue


@task("billing.tidy_items")
def tidy_items() -> None:
    """Take items off that bill nothing any more."""
    while tidy_due(now=clock.now()):
        continue


@task("billing.look_up_attempts")
def look_up_attempts() -> None:
    """Ask the processor about charges whose outcome nobody knows."""
    while look_up_due(now=clock.now()):
        continue


@task("billing.follow_left_clocks")
def follow_left_clocks() -> None:
    """Let clocks that something has left have only what is still on them."""
    while follow_due(now=clock.now()):
        continue


@task("billing.carry_out")
def carry_out() -> None:
    """Do what was asked for at Stripe: credit notes, refunds, voids, answers to disputes."""
    while carry_out_due(now=clock.now()):
        continue


@task("billing.expire_credits")
def expire_credits() -> None:
    """End the credits that have expired."""
    while expire_due(now=clock.now()):
        continue


@task("billing.run_internal_clock")
def run_internal_clock() -> None:
    """Bill the accounts that Stripe does not bill."""
    now = clock.now()
    for _ in bill_until(now, now=now):
        continue
