"""Probes of an address: 200 is an answer, everything else is none, and none of it raises."""

import socket
import threading

import pytest
from handlers.loopback import Server

from orders.probes import answers, asked, deep


class Api(Server):
    """Answers with one status."""

    def __init__(self, status):
        self.status, self.asked = status, []
        super().__init__()

    def answer(self, path, headers, body):
        self.asked.append(path)
        return self.status, b"{}", {}


@pytest.mark.parametrize(
    ("status", "expected"), [(200, True), (204, False), (302, False), (404, False), (503, False)]
)
def test_only_200_is_an_answer(status, expected):
    with Api(status) as api:
        assert answers(deep(f"http://{api.address}/live/")) is expected
        assert asked(deep(f"http://{api.address}/live")) == status
        assert api.asked == ["/live/health/deep"] * 2


def test_nobody_listening_is_no_answer():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert answers(f"http://127.0.0.1:{taken.getsockname()[1]}/") is False


def test_a_listener_that_says_nothing_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        assert answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.1) is False


def test_what_is_no_http_is_no_answer():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)

        def babble():
            taken, _ = other.accept()
            with taken:
                taken.recv(100)
                taken.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        assert answers(f"http://127.0.0.1:{other.getsockname()[1]}/", seconds=1) is False
        thread.join()


@pytest.mark.parametrize("url", ["ftp://a.example/", "/health", "https://", ""])
def test_an_address_that_is_none_is_a_defect(url):
    with pytest.raises(ValueError, match="no URL"):
        answers(url)
