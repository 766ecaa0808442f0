"""What wakes the brain. Each looks for due rows until there are none."""

from config import clock
from config.celery import task

from .consequences.carry_out import carry_out_due
from .deliveries import deliver_due
from .due import recompute_due, sweep_everybody
from .outages import watch


@task("dunning.deliver_journal")
def deliver_journal() -> None:
    """Look at the accounts of which the journal tells."""
    while deliver_due(now=clock.now()):
        continue


@task("dunning.recompute_due")
def recompute_what_is_due() -> None:
    """Look at the accounts that time alone may have changed."""
    while recompute_due(now=clock.now()):
        continue


@task("dunning.sweep_everybody")
def sweep_all() -> None:
    """Look at everybody, once a night."""
    while sweep_everybody(now=clock.now()):
        continue


@task("dunning.carry_out")
def carry_out() -> None:
    """Do outside what was decided."""
    while carry_out_due(now=clock.now()):
        continue


@task("dunning.watch_processors")
def watch_processors() -> None:
    """Notice a processor that does not answer, and one that does again."""
    watch(now=clock.now())
