"""Programs that run beside us: started in their own session, watched, restarted, and never left behind."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

RESTARTS_A_MINUTE = 10
LONGEST_PAUSE_SECONDS = 5.0
LARGEST_LOG_BYTES = 20_000_000
# In the environment of everything we start: whose process it is, even after its parents are gone.
MARK = "PAYGO_PART_OF"

_PR_SET_PDEATHSIG = 1
# The ports we keep for our children, until this process ends.
_claims: dict[int, socket.socket] = {}
_libc = ctypes.CDLL(None, use_errno=True)


class CannotStart(Exception):
    """Something that people must put right before we can start; the text is the sentence for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, how to see that it answers, and how to end it."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    # What must be cleared away before a start: what an earlier, killed one may have left.
    before_start: Callable[[], None] = lambda: None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    # What the kernel sends it when we are gone without a word.
    orphan_signal: signal.Signals = signal.SIGKILL
    stdin: bytes = b""
    user: str | None = None
    directory: Path | None = None
    pass_fds: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A program and its process of the moment."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_A_MINUTE))
    start_again_at: float = 0.0

    @property
    def pid(self) -> int:
        """The process's id, which is its group's and its session's too; 0 while there is none."""
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """
        Start the process in a session of its own, with its output appended to its log.

        Must be called from the thread that lives as long as we do: the kernel ties the child to it.
        """
        program = self.program
        program.before_start()
        self.started_at.append(time.monotonic())
        with _opened_log(program.log) as log:
            self.process = subprocess.Popen(  # noqa: S603  our own command lines
                program.argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.environment),
                cwd=program.directory or "/",
                user=program.user,
                group=_group_of(program.user),
                extra_groups=[] if program.user else None,
                pass_fds=program.pass_fds,
                start_new_session=True,
                preexec_fn=_die_with_parent(program.orphan_signal),  # noqa: PLW1509  one libc call, before any thread
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(program.stdin)

    def wait_until_ready(self, *, seconds: float, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        """
        Wait until the program answers.

        :raises CannotStart: it ended, or did not answer in time; with its log's last line.
        """
        give_up_at = time.monotonic() + seconds
        while not self.program.is_ready():
            if self.process is None or self.process.poll() is not None:
                raise CannotStart(f"{self.program.name} ended while starting: {self.last_words()}")
            if time.monotonic() > give_up_at:
                raise CannotStart(
                    f"{self.program.name} does not answer after {seconds:.0f} seconds: {self.last_words()}"
                )
            if is_cancelled():
                return
            time.sleep(0.03)

    def watch(self, say: Callable[[str], None]) -> bool:
        """
        Start the process again if it has ended, later each time, and say so. Return whether it was started.

        :raises CannotStart: it was restarted RESTARTS_A_MINUTE times within the last minute.
        """
        if self.process is None or self.process.poll() is None:
            return False
        now = time.monotonic()
        if not self.start_again_at:
            recent = [at for at in self.started_at if now - at < 60]
            if len(recent) >= RESTARTS_A_MINUTE:
                raise CannotStart(
                    f"{self.program.name} ended {RESTARTS_A_MINUTE} times within a minute: {self.last_words()}"
                )
            pause_seconds = min(0.1 * 2 ** (len(recent) - 1), LONGEST_PAUSE_SECONDS) if recent else 0.0
            self.start_again_at = now + pause_seconds
            say(f"{self.program.name} {_how_it_ended(self.process.returncode)}; starting it again")
            self.kill()
        if now < self.start_again_at:
            return False
        self.start_again_at = 0.0
        self.start()
        return True

    def stop(self) -> None:
        """Ask the process to end, wait, and kill what is left of its group. Safe to repeat."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)
            try:
                self.process.wait(self.program.stop_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.kill()

    def kill(self) -> None:
        """Kill the whole group at once: workers outlive a main process that was killed, and keep its port."""
        if self.process is not None:
            group = self.process.pid
            kill_all(lambda: _processes_in_group(group))
            self.process.wait()

    def last_words(self) -> str:
        """Return the last line of the log, for a sentence."""
        try:
            lines = self.program.log.read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            lines = []
        return f"{lines[-1] if lines else 'it said nothing'} (see {self.program.log})"


def processes_with_mark(mark: str) -> list[int]:
    """Return the processes that were started for `mark` and still run, whoever their parent is now."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _processes() if pid != os.getpid() and wanted in _read(f"/proc/{pid}/environ").split(b"\0")]


def processes_in(directory: Path) -> list[int]:
    """Return the processes whose working directory this is."""
    found = []
    for pid in _processes():
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(directory.resolve()):
                found.append(pid)
        except OSError:  # it ended meanwhile, or is not ours to look at
            continue
    return found


def kill_all(find: Callable[[], list[int]], *, seconds: float = 10.0) -> None:
    """
    SIGKILL what `find` finds until it finds nothing.

    :raises CannotStart: something is still there after `seconds`.
    """
    give_up_at = time.monotonic() + seconds
    while pids := find():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > give_up_at:
            raise CannotStart(f"Processes of an earlier run cannot be killed: {', '.join(map(str, pids))}.")
        time.sleep(0.02)


def is_free(port: int) -> bool:
    """Say whether nobody listens on 127.0.0.1 at `port`; a plain bind, because granian's own would share it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def take_port(port: int) -> bool:
    """
    Keep a free port for what we shall start there, as long as this process lives. Return whether we have it.

    Between our look and the start another run could choose the same port (and two granians would even share it), so
    each run claims its ports by a name in the kernel, which disappears with whoever holds it.
    """
    if port in _claims:
        return is_free(port)
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0paygo-port-{port}")
    except OSError:
        claim.close()
        return False
    if not is_free(port):
        claim.close()
        return False
    _claims[port] = claim
    return True


def free_port(first: int) -> int:
    """
    Return the first port from `first` on that we could take.

    :raises CannotStart: two hundred in a row are taken.
    """
    for port in range(first, first + 200):
        if take_port(port):
            return port
    raise CannotStart(f"No port from {first} to {first + 199} is free.")


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _processes_in_group(group: int) -> list[int]:
    """Return the living processes of a group; one that has ended and waits for its parent holds nothing any more."""
    found = []
    for pid in _processes():
        # After the name in parentheses, which may hold anything: state, parent, group.
        state, _, its_group, *_ = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split() or (b"Z", b"", b"0")
        if state not in b"ZX" and int(its_group) == group:
            found.append(pid)
    return found


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it ended meanwhile, or is not ours to look at
        return b""


def _opened_log(path: Path) -> IO[bytes]:
    """Return the log, open for appending; one that has grown large becomes `….1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    return pwd.getpwnam(user).pw_gid


def _die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def ask_the_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # it went between the fork and the call above
            os._exit(1)

    return ask_the_kernel


def _how_it_ended(returncode: int) -> str:
    if returncode < 0:
        return f"was killed ({signal.Signals(-returncode).name})"
    return f"ended by itself (status {returncode})"
