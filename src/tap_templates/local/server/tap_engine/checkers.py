"""The checkers of Route 53's health checks, which ask endpoints. Threads of their own.

Here one checker stands for all, and an interval takes a tenth of its time (`TAP_HEALTH_SCALE`).
Checkers are Route 53's data plane: they go on while us-east-1 is dead.
"""

import os
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import route53

from tap_engine import hosts
from tap_engine.health import ENDPOINTS, OBSERVED, Config, Observed

_SCALE = float(os.environ.get("TAP_HEALTH_SCALE", "0.1"))
_TICK_SECONDS = 0.1
_TIMEOUT_SECONDS = 4
_SEARCHED_BYTES = 5120
_NOT_GOOD = 400
_DEFAULT_INTERVAL, _DEFAULT_THRESHOLD = 30, 3


def install() -> None:
    """Start the checkers."""
    threading.Thread(target=_run, daemon=True, name="tap-health").start()


def _run() -> None:
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            _look(time.monotonic())
        except Exception:  # noqa: BLE001 - one bad health check must not stop the others' checkers
            route53.logger.exception("health checks")


def _look(moment: float) -> None:
    """Ask every endpoint whose time has come; forget those of health checks that are gone."""
    checks = dict(route53._health_checks._data)
    for gone in OBSERVED.keys() - checks.keys():
        del OBSERVED[gone]
    for key, record in checks.items():
        config = record["config"]
        if config.get("Type") not in ENDPOINTS or config.get("Disabled"):
            continue
        known = OBSERVED.setdefault(key, Observed())
        if known.asking or known.due > moment:
            continue
        known.due = moment + config.get("RequestInterval", _DEFAULT_INTERVAL) * _SCALE
        known.asking = True
        threading.Thread(target=_ask, args=(key[0], known, config), daemon=True).start()


def _ask(account: str, known: Observed, config: Config) -> None:
    good, said = False, "Failure: the checker failed"
    try:
        with request_scope(account, "us-east-1"):
            good, said = probe(config)
    finally:
        known.take(good, said, int(config.get("FailureThreshold", _DEFAULT_THRESHOLD)))


def probe(config: Config) -> tuple[bool, str]:
    """Ask the endpoint of a health check once: is it good, and what did it say."""
    host = config.get("FullyQualifiedDomainName", "")
    found = hosts.address(host)
    if found is None:
        return False, f"Failure: {host} leads to nothing that is simulated here"
    url = found + "/" + config.get("ResourcePath", "/").lstrip("/")
    request = urllib.request.Request(url, headers={"User-Agent": "Amazon-Route53-Health-Check"})  # noqa: S310 - our own loopback address
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            status, body = answer.status, answer.read(_SEARCHED_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(_SEARCHED_BYTES)
            if status >= _NOT_GOOD:
                return False, f"Failure: HTTP Status Code {status}, {error.reason}"
    except OSError as error:
        return False, f"Failure: {error}"
    wanted = config.get("SearchString", "") if config["Type"] == "HTTPS_STR_MATCH" else ""
    if wanted.encode() not in body:
        return False, "Failure: the search string is not in the answer"
    return True, f"Success: HTTP Status Code {status}, OK"


class _Unredirected(urllib.request.HTTPRedirectHandler):
    """Follow no redirection: that there is one is the answer."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Unredirected())
