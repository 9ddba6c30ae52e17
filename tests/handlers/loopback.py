"""Stand-ins for what a function sees of AWS, on the loopback: table, X-Ray daemon, runtime API."""

import json
import os
import queue
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

Answer = tuple[int, bytes, Mapping[str, str]]


class Server:
    """An HTTP server on a free port, in a thread, for the time of a `with` block."""

    def __init__(self) -> None:
        answer = self.answer

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each exchange waits 40 ms for an ACK
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content, headers = answer(self.path, self.headers, body)
                with suppress(OSError):  # a stopped client does not wait for its answer
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_POST = do_GET  # noqa: N815  # http.server finds methods by these names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.address = f"127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, headers: Any, body: bytes) -> Answer:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Table(Server):
    """PutItem of DynamoDB with the one condition we use; fails as told in `failures` first."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self._lock = threading.Lock()
        super().__init__()

    def answer(self, path: str, headers: Any, body: bytes) -> Answer:
        with self._lock:
            status, said = self._put(json.loads(body))
        return status, json.dumps(said).encode(), {"Content-Type": "application/x-amz-json-1.0"}

    def _put(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if failure == "InternalServerError":  # the worst kind: it is written, but nobody knows
                self.items[request["Item"]["id"]["S"]] = request["Item"]
            status = 500 if failure == "InternalServerError" else 400
            error = f"com.amazonaws.dynamodb.v20120810#{failure}"
            # The messages of AWS may quote what was to be written.
            return status, {"__type": error, "message": f"cannot write {request['Item']}"}
        assert request["ConditionExpression"] == "attribute_not_exists(id)"
        key = request["Item"]["id"]["S"]
        if key in self.items:
            error = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
            shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            return 400, {"__type": error} | ({"Item": self.items[key]} if shown else {})
        self.items[key] = request["Item"]
        return 200, {}


class TraceDaemon:
    """The X-Ray daemon's socket; collects what the function sends."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def documents(self) -> str:
        """All received so far. Datagrams of an answered invocation are already here."""
        self._socket.settimeout(0)
        parts = []
        with suppress(BlockingIOError):
            while True:
                parts.append(self._socket.recv(65536).decode())
        return "\n".join(parts)

    def close(self) -> None:
        self._socket.close()


class Function(Server):
    """A function under AWS's own runtime client, in a subprocess that sees only `folders`."""

    def __init__(
        self,
        python: str,
        folders: list[Path],
        handler: str,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self._invocations: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._log = log
        super().__init__()
        with log.open("wb") as out:
            # -S: no site-packages; -P: nor the current folder. What is not in `folders` is missing.
            self._process = subprocess.Popen(
                [python, "-S", "-P", "-m", "awslambdaric", handler],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": os.pathsep.join(map(str, folders)),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "AWS_LAMBDA_RUNTIME_API": self.address,
                    "LAMBDA_TASK_ROOT": str(folders[0]),
                    "AWS_LAMBDA_FUNCTION_NAME": "trading-processor-test",
                    "AWS_LAMBDA_FUNCTION_VERSION": "1",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                    "AWS_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                    "AWS_SECRET_ACCESS_KEY": "example",
                    **environment,
                },
            )

    def answer(self, path: str, headers: Any, body: bytes) -> Answer:
        if path.endswith("/next"):
            request, event = self._invocations.get()
            return (
                200,
                event,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 10) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": (
                        "arn:aws:lambda:us-east-1:111122223333:function:trading-processor-test"
                    ),
                    "Lambda-Runtime-Trace-Id": (
                        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
                    ),
                },
            )
        self._answers.put((path.rsplit("/", 1)[-1], json.loads(body)))
        return 202, b"{}", {}

    def outcome(self, timeout: float = 20) -> tuple[str, Any]:
        """Wait for the next answer: `response`, or `error` (also of the initialisation)."""
        return self._answers.get(timeout=timeout)

    def invoke(self, event: object, request: str | None = None) -> tuple[str, Any]:
        self._invocations.put((request or str(uuid.uuid4()), json.dumps(event).encode()))
        return self.outcome()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._invocations.put(("", b"{}"))  # lets the thread that waits for an event go
        super().__exit__()
