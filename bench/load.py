"""A load generator that costs little: requests are bytes made beforehand, sent over connections that stay open."""

import socket
import threading
import time
from collections.abc import Sequence


def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> float:
    """
    Send every request once, each connection one at a time, and return how many seconds that took.

    :raises AssertionError: an answer is not 200.
    """
    shares = [requests[number::connections] for number in range(connections)]
    failures: list[BaseException] = []
    start = threading.Barrier(connections + 1)
    threads = [threading.Thread(target=_send, args=(port, share, start, failures)) for share in shares]
    for thread in threads:
        thread.start()
    start.wait()
    started_at = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started_at
    assert not failures, failures[0]
    return seconds


def _send(port: int, requests: Sequence[bytes], start: threading.Barrier, failures: list[BaseException]) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start.wait()
            for request in requests:
                connection.sendall(request)
                answer = _answer(connection)
                assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    except BaseException as failure:  # noqa: BLE001  told by the thread that waits
        failures.append(failure)
        start.abort()


def _answer(connection: socket.socket) -> bytes:
    """Return one whole answer, its body included: the next one must not begin in the middle of it."""
    answer = connection.recv(65536)
    while not _is_whole(answer):
        more = connection.recv(65536)
        assert more, "the connection was closed in the middle of an answer"
        answer += more
    return answer


def _is_whole(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"transfer-encoding":
            return body.endswith(b"0\r\n\r\n")
        if name == b"content-length":
            return len(body) >= int(value)
    return True
