"""Clients on this engine itself: providers use its service APIs as anybody would."""

import os
import threading
from typing import Any

import boto3
from botocore.config import Config
from ministack.core.responses import get_account_id, get_region

_clients: dict[tuple[str, str, str], Any] = {}
_lock = threading.Lock()  # making a client is not thread-safe; using one is
_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def client(service: str, region: str | None = None) -> Any:
    """Give a client for `service`, in the region and account of the current request by default."""
    key = service, region or get_region(), get_account_id()
    with _lock:
        if key not in _clients:
            _clients[key] = boto3.session.Session().client(
                service,
                region_name=key[1],
                endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
                aws_access_key_id=key[2],
                aws_secret_access_key="test",  # noqa: S106 - the engine asks for none
                config=_CONFIG,
            )
        return _clients[key]
