"""What wakes the brain. Each looks for due rows until there are none."""

from config import clock
from config.celery import task

from .consequences.carry_out import carry_out_due
from .outages import watch


@task("dunning.carry_out")
def carry_out() -> None:
    """Do outside what was decided."""
    while carry_out_due(now=clock.now()):
        continue


@task("dunning.watch_processors")
def watch_processors() -> None:
    """Notice a processor that does not answer, and one that does again."""
    watch(now=clock.now())
