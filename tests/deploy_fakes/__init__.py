"""Fakes of a rollout: AWS in memory, faults, a clock, and a system to roll out."""

from deploy_fakes.cloud import FakeCloud
from deploy_fakes.faults import FAULTS, FakeClock, Faulty, Killed, Recorder
from deploy_fakes.model import ACCOUNT, PRIMARY, SECONDARY, WRITES, Instance
from deploy_fakes.system import TEXT, ZIP, changed, desired, means, parts, template

__all__ = [
    "ACCOUNT",
    "FAULTS",
    "PRIMARY",
    "SECONDARY",
    "TEXT",
    "WRITES",
    "ZIP",
    "FakeClock",
    "FakeCloud",
    "Faulty",
    "Instance",
    "Killed",
    "Recorder",
    "changed",
    "desired",
    "means",
    "parts",
    "template",
]
