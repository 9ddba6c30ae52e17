"""Two regions: a primary and its streaming standby, a kill, a promotion, and the repair."""

import dataclasses
import importlib.util
import json
import subprocess
import sys
import time

import pytest
from postgres.clusters import Cluster, Function, new_key, requested, started

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def script(root):
    path = root / "scripts" / "payments_drill.py"
    spec = importlib.util.spec_from_file_location("payments_drill", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def pair():
    east = started()
    with east.server, east.server.standby(name="west") as server:
        yield east, Cluster(server.start(), east.name)


def eventually(is_so):
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_standby_reads_and_refuses_until_it_is_promoted(pair):
    east, west = pair
    with Function(east.database()) as there, Function(west.database(), region="us-west-2") as here:
        key = new_key()
        _, body, _ = there.pay(key)
        path = f"/payments/{json.loads(body)['paymentId']}"
        eventually(lambda: west.counts()[0] == 1)
        assert here.health() == (503, {"healthy": False, "failing": ["database"]})
        status, refused, headers = here.pay(key)
        assert (status, json.loads(refused)) == (503, {"error": "DatabaseUnavailable"})
        assert int(headers["retry-after"]) > 0
        shown = here(requested("GET", path))
        assert (shown["statusCode"], shown["body"]) == (200, body)
        east.server.kill()
        assert there.health()[0] == 503
        west.server.promote()
        assert here.health() == (200, {"healthy": True, "failing": []})
        assert here.pay(key)[:2] == (200, body)
        status, body, _ = here.pay(new_key())
        assert (status, json.loads(body)["region"]) == (201, "us-west-2")
    assert west.counts() == (2, 4, 0)


def test_a_region_is_lost_with_what_was_not_replicated_and_retries_repair_it(script):
    """The loss is forced and must be seen: a drill that cannot lose anything shows nothing."""
    lines = []
    report = script.drill(lines.append, clients=4, load_seconds=0.8, stall_seconds=0.4)
    assert report.lost > 0
    assert report.lost <= report.acknowledged
    assert report.repaired == report.lost
    assert report.changed_ids == 0
    assert report.payments == report.expected > report.acknowledged
    assert report.entries == 2 * report.payments
    assert report.is_whole
    assert any(f"{report.lost} of {report.acknowledged}" in line for line in lines)


@pytest.mark.parametrize(
    "fault",
    [{"payments": 9}, {"payments": 11}, {"entries": 19}, {"total": "0.01"}, {"changed_ids": 1}],
)
def test_a_ledger_with_a_fault_is_not_whole(script, fault):
    counts = dict.fromkeys(("acknowledged", "lost", "repaired", "changed_ids"), 0)
    seconds = dict.fromkeys(("noticed_seconds", "promoted_seconds", "first_write_seconds"), 0.1)
    whole = script.Report(**counts, **seconds, expected=10, payments=10, entries=20, total="0.00")
    assert whole.is_whole
    assert not dataclasses.replace(whole, **fault).is_whole


def test_the_script_prints_a_timeline(root):
    command = [sys.executable, "scripts/payments_drill.py", "--stall", "0.2", "--load", "0.4"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "us-east-1 is killed" in done.stdout
    assert "lost with it:" in done.stdout
    assert done.stdout.rstrip().endswith("every payment is there once")
