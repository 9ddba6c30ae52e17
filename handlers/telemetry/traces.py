"""Traces that keep the classes of errors and drop their messages."""

from typing import Any, Protocol

from aws_lambda_powertools import Tracer


class _Emitter(Protocol):
    def send_entity(self, entity: Any) -> None: ...


class NamesOnly:
    """An emitter of traces that keeps the classes of errors and drops their messages.

    The X-Ray SDK records the message of every error that AWS answers; those of DynamoDB and S3 may
    quote what was written.
    """

    def __init__(self, emitter: _Emitter) -> None:
        self._emitter = emitter

    def send_entity(self, entity: Any) -> None:
        """Send a segment or subsegment, and those below it, without messages."""
        _drop_messages(entity)
        self._emitter.send_entity(entity)

    def __getattr__(self, name: str) -> Any:  # the SDK sets and reads the daemon's address
        return getattr(self._emitter, name)


def names_only_tracer() -> Tracer:
    """Make the tracer of a function; calls of AWS are traced, their errors by class alone.

    All tracers of a process share one emitter, which is wrapped once.
    """
    tracer = Tracer(patch_modules=("botocore",))  # all would import what is not used
    if not tracer.disabled:
        recorder: Any = tracer.provider
        if not isinstance(recorder.emitter, NamesOnly):
            recorder.emitter = NamesOnly(recorder.emitter)
    return tracer


def _drop_messages(entity: Any) -> None:
    cause = entity.cause
    for each in cause.get("exceptions", ()) if isinstance(cause, dict) else ():
        each.message = None  # left out of the document, as everything empty
    for below in entity.subsegments:
        _drop_messages(below)
