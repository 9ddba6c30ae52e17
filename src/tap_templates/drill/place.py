"""Where a drill takes place: a system on a local engine, and how to ask for its parts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_templates.deploy.cloud import Wire
from tap_templates.errors import TapError
from tap_templates.local import engine as engines
from tap_templates.local.engine import Engine
from tap_templates.model.names import Kind, Name

_LIVE = "live"  # the alias that all callers use: blocks/function.py


class DrillError(TapError):
    """The drill itself does not come about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A system on an engine. `wires` makes a wire for each thread: a wire is not for two."""

    engine: Engine
    wires: Callable[[], Wire]
    primary: str
    secondary: str
    suffix: str
    domain: str
    scratch: Path  # a folder that is gone afterwards

    @property
    def account(self) -> str:
        return self.engine.account

    def name(self, kind: Kind, purpose: str, region: str = "") -> str:
        """Spell a physical name as the templates do."""
        spelled = Name(kind, purpose).text(region)
        return spelled.replace("${EnvironmentSuffix}", self.suffix).replace(
            "${AWS::AccountId}", self.account
        )

    def machine(self, purpose: str, region: str) -> str:
        """Give the ARN of a state machine."""
        name = self.name(Kind.STATE_MACHINE, purpose, region)
        return f"arn:aws:states:{region}:{self.account}:stateMachine:{name}"

    def control(self, command: str, **query: str) -> dict[str, object]:
        """Ask the engine for something of `/_tap/`."""
        return engines.control(self.engine, command, **query)

    def invoke(
        self, wire: Wire, region: str, purpose: str, payload: dict[str, Any]
    ) -> tuple[bool, Any]:
        """Invoke what is live of a function; say whether it succeeded, and what it said."""
        answer = wire.call(
            region,
            "lambda",
            "invoke",
            FunctionName=self.name(Kind.FUNCTION, purpose, region),
            Qualifier=_LIVE,
            Payload=json.dumps(payload).encode(),
        )
        return "FunctionError" not in answer, json.load(answer["Payload"])
