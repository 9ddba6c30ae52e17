"""`tap drill`: a region of trading-dr is lost for real, but for AWS; and the drill can fail.

The system is rolled out by the code that deploys it, its functions run against two PostgreSQL
servers, and clients go by its DNS name. The first drill waits for the prober; the second one leaves
the replay out, and must find orders missing.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from local.conftest import ROOT

from tap_templates.local import engine as engines
from tap_templates.local.postgres import living

pytestmark = pytest.mark.postgres

NAME = "tests-drill"
HOME, AWAY = "us-east-1", "us-east-2"
SHORT = ("--clients", "2", "--load", "2", "--stall", "0.5")
TAP = str(Path(sys.executable).with_name("tap"))


def drill(*arguments):
    """Run a drill to its end; give its process and its report."""
    command = [TAP, "drill", "--engine", NAME, "--format", "json", *SHORT, *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert "\x1b" not in ended.stdout + ended.stderr
    assert ended.stdout, ended.stderr
    return ended, json.loads(ended.stdout)


def what(act, who):
    return [each["what"] for each in act["timeline"] if each["who"] == who]


def nothing_runs():
    return engines.status(ROOT, name=NAME) is None


def test_every_acknowledged_order_is_there_after_the_loss_of_a_region():
    ended, report = drill()
    assert ended.returncode == 0, report["verdict"] + ended.stderr
    assert report["schema"] == "tap.drill/1"
    assert report["passes"]
    assert report["left"] == []
    (act,) = report["acts"]
    assert act["orders"]["whole"]
    assert all(act["orders"]["acknowledged"][region] for region in (HOME, AWAY))
    # Some was lost, or nothing was shown; all that was is applied again, by the system itself.
    assert act["losses"]["restored"] == act["losses"]["lost"] > 0
    assert f"failover-2 runs in {AWAY}" in what(act, "machine")
    states = what(act, "machine")
    steps = ["Fence", "Latch", "Promote", "Canary", "Prepare", "Replay", "Serve", "Validate"]
    assert [each for each in states if each in steps] == steps
    assert f"the name leads to {AWAY}" in what(act, "dns")
    times = [each["at"] for each in act["timeline"]]
    assert times == sorted(times)
    assert min(times) < 0 < max(times)
    terms = {each["name"]: each for each in act["terms"]}
    accepted = terms[f"kill → first order acknowledged in {AWAY}"]
    assert accepted["seconds"] > 0
    assert accepted["budget_seconds"] == 52
    assert all(each["seconds"] is not None for each in act["terms"])
    assert "ProbeRoundSeconds" in report["shortened"]
    assert "drill: all is destroyed" in ended.stderr
    assert nothing_runs()


def test_without_the_replay_orders_are_missing():
    ended, report = drill("--manual", "--no-replay-control")
    assert ended.returncode == 0, report["verdict"] + ended.stderr
    (act,) = report["acts"]
    missing = len(act["orders"]["missing"])
    assert missing >= act["losses"]["lost"] > 0
    assert report["verdict"].startswith("the drill can fail: without the replay")
    assert not act["orders"]["whole"]
    assert report["left"] == []
    assert nothing_runs()


def test_an_interruption_leaves_no_process():
    command = [TAP, "drill", "--engine", NAME]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        for line in running.stderr:
            if "tables to" in line:  # in the middle of the rollout
                break
        started = descendants(running.pid) | {engines.status(ROOT, name=NAME).pid}
        assert len(started) > 2  # the engine, and the servers with what they start
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    assert nothing_runs()
    deadline = time.monotonic() + 10
    while started & set(living()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not started & set(living())


def descendants(pid):
    """List all that a process has started, and they in turn."""
    known, found = living(), {pid}
    while more := {child for child, each in known.items() if each.parent in found} - found:
        found |= more
    return found - {pid, os.getpid()}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--system", "market-pipeline"], "scripts/payments_drill.py"),
        (["--system", "payments-dr"], "scripts/payments_drill.py"),
        (["--system", "nobody"], "name --system trading-dr"),
        (["--failback", "--no-replay-control"], "leave one of them out"),
        (["--clients", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_played_is_a_usage_error(tap, arguments, says):
    refused = tap("drill", *arguments, cwd=ROOT)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert not refused.stdout
