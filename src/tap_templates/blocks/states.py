"""States of a state machine, typed, in JSONPath: what a run does, in which order, and what then.

What a state says is checked when it is put into a flow (`state_flow`). CloudFormation takes no
null, so a result cannot be thrown away by `ResultPath: null`: keep it small with `result`, at a
path that nobody reads.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_templates.blocks import state_checks as checks
from tap_templates.blocks.state_calls import Call, Payload
from tap_templates.blocks.state_choices import ChoiceRule
from tap_templates.blocks.state_errors import Catch, Retry
from tap_templates.blocks.text import sub
from tap_templates.errors import ModelError
from tap_templates.rendered.machines import RECOVERS

if TYPE_CHECKING:
    from tap_templates.blocks.state_flow import Flow

WHOLE = "$"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What all states have. `recovers` says why a run may end well though it was caught before."""

    comment: str = ""
    recovers: str = ""

    def targets(self) -> Iterator[str]:
        """Iterate over the states it can go on to."""
        yield from ()

    @property
    def ends(self) -> bool:
        """Whether its flow is over after it, or may be."""
        return False

    def flows(self) -> Sequence["Flow"]:
        return ()

    def body(self) -> dict[str, object]:
        """Render as the Amazon States Language spells it."""
        said = self.said()
        return {"Comment": said, **self._body()} if said else self._body()

    def check(self, where: str) -> None:
        """Raise ModelError for what is wrong in the state itself."""

    def _body(self) -> dict[str, object]:
        raise NotImplementedError

    def said(self) -> str:
        return " ".join(
            each for each in (self.recovers and RECOVERS + self.recovers, self.comment) if each
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(State):
    """A state with one successor; `then` None ends the machine, branch or item."""

    then: str | None

    def targets(self) -> Iterator[str]:
        if self.then is not None:
            yield self.then

    @property
    def ends(self) -> bool:
        return self.then is None

    def _onward(self) -> dict[str, object]:
        return {"End": True} if self.then is None else {"Next": self.then}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Step):
    """A state that does something and may fail: how often it tries, and who takes over.

    Of what it gives back, `result` picks and renames, `keep_at` says where in the input that is
    put, `output` which part of all this goes on.
    """

    result: Payload | None = None  # ResultSelector
    keep_at: str = WHOLE  # ResultPath; `$` puts the result in place of the input
    output: str = WHOLE  # OutputPath
    retry: Sequence[Retry] = ()
    catch: Sequence[Catch] = ()

    def targets(self) -> Iterator[str]:
        yield from Step.targets(self)
        yield from (each.then for each in self.catch)

    def check(self, where: str) -> None:
        checks.errors(where, "retries", [each.errors for each in self.retry])
        checks.errors(where, "catches", [each.errors for each in self.catch])
        for each in self.retry:
            each.check(where)
        for path in (self.keep_at, self.output, *(each.keep_at for each in self.catch)):
            checks.path(where, path)
        if self.result is not None:
            checks.template(where, self.result)

    def _handling(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.result is not None:
            found["ResultSelector"] = dict(self.result)
        if self.keep_at != WHOLE:
            found["ResultPath"] = self.keep_at
        if self.output != WHOLE:
            found["OutputPath"] = self.output
        if self.retry:
            found["Retry"] = [each.body() for each in self.retry]
        if self.catch:
            found["Catch"] = [each.body() for each in self.catch]
        return found | self._onward()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Work):
    """One call, for `timeout` at most. A function must be given more than its own timeout.

    `because` says why it has no retry, or no catch of its own or around it.
    """

    call: Call
    timeout: timedelta
    because: str = ""

    def check(self, where: str) -> None:
        Work.check(self, where)
        checks.seconds(where, "has a timeout of", self.timeout)
        checks.template(where, self.call.parameters())

    def check_reason(self, where: str, *, caught: bool) -> None:
        """Raise ModelError if nothing is said of what becomes of errors."""
        lacks = [
            what
            for what, there in (("retry", self.retry), ("catch", self.catch or caught))
            if not there
        ]
        if lacks and not self.because.strip():
            raise ModelError(
                where,
                f"has no {' and no '.join(lacks)}, and no reason is written down",
                "give it one, or say why not by `because`",
            )
        if self.because and self.retry and self.catch:
            raise ModelError(
                where,
                f"has retry and catch, and a reason for lacking one: {self.because}",
                "take `because` away",
            )

    def said(self) -> str:
        handlers = (("no retry", self.retry), ("no catch", self.catch))
        lacks = ", ".join(what for what, there in handlers if not there).capitalize()
        reason = f"{lacks}: {self.because}" if self.because else ""
        return " ".join(each for each in (reason, Work.said(self)) if each)

    def _body(self) -> dict[str, object]:
        return {
            "Type": "Task",
            "Resource": sub(f"arn:${{AWS::Partition}}:states:::{self.call.integration}"),
            "Parameters": dict(self.call.parameters()),
            "TimeoutSeconds": int(self.timeout.total_seconds()),
            **self._handling(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Work):
    """Branches that run at once, each on the whole input; one that fails ends the others.

    What it gives back is the list of what the branches gave back, in their order. What a branch
    has called by then goes on by itself: only its answer is no longer waited for.
    """

    branches: Sequence["Flow"]

    def flows(self) -> Sequence["Flow"]:
        return self.branches

    def check(self, where: str) -> None:
        Work.check(self, where)
        if not self.branches:
            raise ModelError(where, "has no branches", "give it two or more")

    def _body(self) -> dict[str, object]:
        branches = [each.flow_body() for each in self.branches]
        return {"Type": "Parallel", "Branches": branches, **self._handling()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Work):
    """A flow for each item of the list at `items`, so many at once, within this run (INLINE)."""

    items: str
    each: "Flow"
    most_at_once: int
    given: Payload | None = None  # ItemSelector: what an item's flow gets; the item without

    def flows(self) -> Sequence["Flow"]:
        return (self.each,)

    def check(self, where: str) -> None:
        Work.check(self, where)
        checks.path(where, self.items)
        if self.given is not None:
            checks.template(where, self.given)
        if self.most_at_once < 1:
            raise ModelError(where, "puts no limit on items at once", "give one, up to 40")

    def _body(self) -> dict[str, object]:
        flow = {"ProcessorConfig": {"Mode": "INLINE"}, **self.each.flow_body()}
        return {
            "Type": "Map",
            "ItemsPath": self.items,
            "ItemProcessor": flow,
            "MaxConcurrency": self.most_at_once,
            **({} if self.given is None else {"ItemSelector": dict(self.given)}),
            **self._handling(),
        }


@dataclass(frozen=True, slots=True)
class When:
    """Where to go if a test of a Choice holds."""

    rule: ChoiceRule
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(State):
    """Go where the first test that holds says, and `otherwise` where none does."""

    when: Sequence[When]
    otherwise: str

    def targets(self) -> Iterator[str]:
        yield from (each.then for each in self.when)
        yield self.otherwise

    def check(self, where: str) -> None:
        if not self.when:
            raise ModelError(where, "has nothing to choose by", "give it a test, or make it a Pass")

    def _body(self) -> dict[str, object]:
        choices = [{**each.rule.rule, "Next": each.then} for each in self.when]
        return {"Type": "Choice", "Choices": choices, "Default": self.otherwise}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Wait for a time, or for as many seconds, or until the instant, that stand at a path."""

    duration: timedelta | None = None
    seconds_at: str = ""
    until_at: str = ""

    def check(self, where: str) -> None:
        given = [each for each in (self.duration, self.seconds_at, self.until_at) if each]
        if len(given) != 1:
            raise ModelError(
                where, f"says {len(given)} times how long to wait", "say it in one of the three"
            )
        if self.duration is not None:
            checks.seconds(where, "waits", self.duration)
        for path in (self.seconds_at, self.until_at):
            checks.path(where, path or WHOLE)

    def _body(self) -> dict[str, object]:
        found: dict[str, object] = {"Type": "Wait"}
        if self.duration is not None:
            found["Seconds"] = int(self.duration.total_seconds())
        if self.seconds_at:
            found["SecondsPath"] = self.seconds_at
        if self.until_at:
            found["TimestampPath"] = self.until_at
        return found | self._onward()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Step):
    """Reshape the input: what `given` says is put at `keep_at`."""

    given: Payload | None = None
    keep_at: str = WHOLE

    def check(self, where: str) -> None:
        checks.path(where, self.keep_at)
        if self.given is not None:
            checks.template(where, self.given)

    def _body(self) -> dict[str, object]:
        return {
            "Type": "Pass",
            **({} if self.given is None else {"Parameters": dict(self.given)}),
            **({} if self.keep_at == WHOLE else {"ResultPath": self.keep_at}),
            **self._onward(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(State):
    """End well."""

    @property
    def ends(self) -> bool:
        return True

    def _body(self) -> dict[str, object]:
        return {"Type": "Succeed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(State):
    """End visibly failed, with an error's name to count by and a cause to read."""

    error: str
    cause: str

    @property
    def ends(self) -> bool:
        return True

    def check(self, where: str) -> None:
        if not self.error.strip() or not self.cause.strip():
            raise ModelError(where, "fails without the name of an error, or a cause", "give both")
        checks.own_error(where, self.error)

    def _body(self) -> dict[str, object]:
        return {"Type": "Fail", "Cause": self.cause, "Error": self.error}
