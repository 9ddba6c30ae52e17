"""A wire between two processes on the loopback that can stall and be cut.

Stands for the network between two regions, or between a function and its database: what was sent
and not forwarded is lost when the wire is cut, as bytes under way are when a machine dies.
"""

import socket
import threading
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
_CHUNK = 65536
_POLL_SECONDS = 0.05


class Link:
    """Forwards connections to `port` from its own port, for the time of a `with` block."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]

    def stall(self) -> None:
        """Forward nothing from now on, in either direction; connections stay open."""
        self._flows.clear()

    def flow(self) -> None:
        """Forward again, what was held back first."""
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection; what was held back is gone. New connections are taken."""
        with self._lock:
            cut, self._open = self._open, set()
        for each in cut:
            _end(each)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._listener)
        self.cut()
        self._flows.set()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection((HOST, self._target))
                except OSError:
                    _end(near)
                    continue
                with self._lock:
                    self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # one side is gone: so is the other
            while data := source.recv(_CHUNK):
                while not self._flows.wait(_POLL_SECONDS):
                    if source.fileno() < 0:
                        return
                sink.sendall(data)
        with self._lock:
            self._open -= {source, sink}
        _end(source)
        _end(sink)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
