"""TLS in front of a server that has none: what a function in Lambda asks of whom it talks to.

The PostgreSQL that tests and drills run is built without TLS. A door takes TLS on a port of its
own, which stays the same while the server behind it changes, dies or is made anew.
"""

import ipaddress
import select
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_CHUNK = 65536


class Certificate(NamedTuple):
    """The files of a certificate that is its own authority."""

    chain: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """Write a certificate of 127.0.0.1 and its key, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address(HOST))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "chain.pem", folder / "key.pem")
    files.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


class Door:
    """Takes TLS on its own port and forwards to `target`, for the time of a `with` block.

    Whoever comes without TLS is sent away, and everybody while nobody is at home. PostgreSQL is
    asked for TLS first; `is_asked` false is for what begins with it, such as https.
    """

    def __init__(self, target: int, files: Certificate, *, is_asked: bool = True) -> None:
        self._is_asked = is_asked
        self.target = target  # may change at any time; connections stay where they lead
        self.secured = 0  # connections taken
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), near:
            if self._is_asked and near.recv(len(_SSL_REQUEST)) != _SSL_REQUEST:
                return
            with socket.create_connection((HOST, self.target)) as far:
                if self._is_asked:
                    near.sendall(b"S")
                with self._context.wrap_socket(near, server_side=True) as secured:
                    self.secured += 1
                    _forward(secured, far)


def _forward(secured: ssl.SSLSocket, far: socket.socket) -> None:
    """Forward until one side is gone. One thread for both: a TLS socket is not for two."""
    ways: dict[socket.socket, socket.socket] = {secured: far, far: secured}
    while True:
        ready = [secured] if secured.pending() else select.select(list(ways), [], [])[0]
        for source in ready:
            data = source.recv(_CHUNK)
            if not data:
                return
            ways[source].sendall(data)
