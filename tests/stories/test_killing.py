"""Sixty customers buy while everything is killed: each gets what they paid for, once, and nothing is left behind."""

import json
import subprocess
import sys

import pytest

from tests.parts import ROOT

# It has the whole machine to itself as far as the other stories that start the platform are concerned.
pytestmark = pytest.mark.xdist_group("starting")

SECONDS = 240


def test_nothing_is_lost_doubled_or_left_behind():
    done = subprocess.run(
        [sys.executable, "-m", "bench.kill", "--purchases", "60", "--clients", "4", "--kills", "14"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.stdout, done.stderr
    sys.stdout.write(done.stdout)  # the seed, for a run that fails
    run = json.loads(done.stdout)
    assert run["problems"] == [], f"{done.stdout}\n{done.stderr}"
    assert run["purchases"] == 61  # the sixty, and one before anything was killed
    assert sum(run["kills"].values()) >= 12
    assert set(run["kills"]) == {"web server", "worker", "PostgreSQL", "Valkey", "sandbox"}
