"""Business time follows the file that the sandbox replaces; machine time follows nothing."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from config import clock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def write(settings, tmp_path, time_machine_at_noon):
    settings.DATA_DIR = tmp_path

    def replace(content: dict[str, float]) -> None:
        (tmp_path / "clock.json.new").write_text(json.dumps(content))
        os.replace(tmp_path / "clock.json.new", tmp_path / "clock.json")

    return replace


@pytest.fixture
def time_machine_at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


READINGS = [
    # the file says                                     business time
    (None,                                              NOON),
    ({},                                                NOON),
    ({"offset_seconds": 0},                             NOON),
    ({"offset_seconds": 90.5},                          NOON + timedelta(seconds=90.5)),
    ({"frozen_at": NOON.timestamp() + 86400},           NOON + timedelta(days=1)),
]  # fmt: skip


@pytest.mark.parametrize(("content", "business_time"), READINGS)
def test_business_time(write, content, business_time):
    if content is not None:
        write(content)

    assert clock.now() == business_time
    assert clock.machine_now() == NOON


def test_each_new_file_is_noticed(write):
    read = []
    for seconds in (10, 20, 30):
        write({"offset_seconds": seconds})
        read.append(clock.now() - NOON)

    assert read == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=30)]


def test_a_file_that_is_gone_means_real_time_again(write, tmp_path):
    write({"offset_seconds": 10})
    clock.now()

    (tmp_path / "clock.json").unlink()

    assert clock.now() == NOON


def test_production_has_one_time(write, settings):
    write({"offset_seconds": 10})
    settings.IS_LOCAL = False

    assert clock.now() == NOON
