"""What a trace says of an error: its class. Whatever AWS wrote into the message stays here."""

import subprocess
import sys
import textwrap
import traceback

import pytest
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment

from telemetry.traces import NamesOnly

CANARY = "4111111111111111"


class Emitter:
    port = 2000

    def __init__(self):
        self.sent = []

    def send_entity(self, entity):
        self.sent.append(entity.serialize())


def test_traces_keep_the_class_of_an_error_and_not_its_message():
    segment = Segment("function")
    outer = Subsegment("## handler", "local", segment)
    inner = Subsegment("dynamodb", "aws", segment)
    segment.add_subsegment(outer)
    outer.add_subsegment(inner)
    for entity in (segment, outer, inner):
        entity.add_exception(ValueError(f"item {CANARY}"), traceback.extract_stack())
    linked = Subsegment("linked", "aws", segment)
    linked.cause = "0123456789abcdef"  # an error that is told elsewhere
    outer.add_subsegment(linked)
    sends = Emitter()
    emitter = NamesOnly(sends)
    emitter.send_entity(segment)
    assert emitter.port == 2000
    [document] = sends.sent
    assert document.count("ValueError") == 3
    assert "0123456789abcdef" in document
    assert CANARY not in document


TWICE = """
    from aws_xray_sdk.core import xray_recorder
    from telemetry.traces import NamesOnly, names_only_tracer
    plain = xray_recorder.emitter
    names_only_tracer()
    names_only_tracer()
    kept = getattr(xray_recorder.emitter, "_emitter", None)
    print(isinstance(xray_recorder.emitter, NamesOnly), plain in (kept, xray_recorder.emitter))
"""


@pytest.mark.parametrize(("is_off", "said"), [("false", "True True"), ("true", "False True")])
def test_the_emitter_is_wrapped_once_and_only_where_traces_are_sent(aws, root, is_off, said):
    """In a process of its own: a tracer that is on patches botocore for good."""
    aws.setenv("LAMBDA_TASK_ROOT", "/var/task")  # outside of Lambda, Powertools traces nothing
    aws.setenv("POWERTOOLS_TRACE_DISABLED", is_off)
    aws.setenv("PYTHONPATH", str(root / "handlers"))
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TWICE)], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert run.stdout.strip() == said
