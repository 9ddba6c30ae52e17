"""What Step Functions does with a state machine's role: its tasks, its log, its traces."""

from collections.abc import Iterator, Mapping

from tap_templates.iam.codes import Code
from tap_templates.iam.integrations import IntegrationError, needs_of_task
from tap_templates.iam.needs import Need, Problem, allow
from tap_templates.rendered.machines import MachineState, read_machine
from tap_templates.rendered.view import Located, SystemView

# Properties that ask nothing of the role, or what is derived below. Any other is a problem, as
# DefinitionSubstitutions, which change the text.
_JUDGED = frozenset(
    {
        "Definition",
        "DefinitionString",
        "EncryptionConfiguration",
        "LoggingConfiguration",
        "RoleArn",
        "StateMachineName",
        "StateMachineType",
        "Tags",
        "TracingConfiguration",
    }
)
# None takes a resource: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
_DELIVER_LOG = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
_TRACE = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
_CALLS_NOTHING = frozenset({"Choice", "Fail", "Parallel", "Pass", "Succeed", "Wait"})
# A Map that runs executions of its own, or reads items from a bucket, needs more than its tasks.
_UNREAD_OF_MAP = ("ItemReader", "ResultWriter")


class MachineNeeds:
    """Derives the needs of one state machine; `problems` fills as `collect` runs."""

    def __init__(self, view: SystemView, located: Located) -> None:
        self.view = view
        self.located = located
        self.properties = located.resource.properties
        self.problems: list[Problem] = []

    def collect(self) -> Iterator[Need]:
        for name in sorted(self.properties.keys() - _JUDGED):
            self._unjudged(f"/Properties/{name}", f"sets {name}")
        owned = {"Type": "AWS_OWNED_KEY"}  # of Step Functions, which asks nothing of the role
        encryption = self.properties.get("EncryptionConfiguration", owned)
        if encryption != owned:
            kind = encryption.get("Type")
            self._unjudged("/Properties/EncryptionConfiguration", f"is encrypted by {kind}")
        machine = read_machine(self.located)
        for problem in machine.problems:
            self._unjudged(problem.path, problem.what)
        for state in machine.states():
            yield from self._state(state)
        yield from self._log()
        yield from self._trace()

    def _problem(self, code: Code, path: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(code, self.located, path, what, remedy))

    def _unjudged(self, path: str, what: str) -> None:
        what = f"{what}; nobody wrote down what that takes of the machine's role"
        remedy = "write it down in iam/machine_needs.py or iam/integrations.py, with its source"
        self._problem(Code.UNJUDGED, path, what, remedy)

    def _why(self, path: str) -> str:
        return f"{self.located.place} {path}"

    def _state(self, state: MachineState) -> Iterator[Need]:
        if state.kind == "Map":
            self._map(state)
        elif state.kind == "Task":
            try:
                yield from needs_of_task(self.view, self.located, state, self._why(state.path))
            except IntegrationError as error:
                if error.code is Code.UNJUDGED:
                    self._unjudged(state.path, str(error))
                else:
                    remedy = (
                        "name the resource in the definition, not in what an execution is given"
                    )
                    self._problem(error.code, state.path, str(error), remedy)
        elif state.kind not in _CALLS_NOTHING:
            self._unjudged(state.path, f"is of type {state.kind}")

    def _map(self, state: MachineState) -> None:
        for name in _UNREAD_OF_MAP:
            if name in state.body:
                self._unjudged(f"{state.path}/{name}", f"has an {name}")
        processor = state.body.get("ItemProcessor", {})
        settings = processor.get("ProcessorConfig", {}) if isinstance(processor, Mapping) else {}
        mode = settings.get("Mode", "INLINE")
        if mode != "INLINE":
            self._unjudged(f"{state.path}/ItemProcessor/ProcessorConfig/Mode", f"maps {mode}")

    def _log(self) -> Iterator[Need]:
        settings = self.properties.get("LoggingConfiguration", {})
        level, path = settings.get("Level", "OFF"), "/Properties/LoggingConfiguration"
        if level == "OFF":
            return
        if level not in ("ALL", "ERROR", "FATAL"):
            self._unjudged(f"{path}/Level", f"logs at level {level}")
        for index, each in enumerate(settings.get("Destinations", [])):
            arn = str(each.get("CloudWatchLogsLogGroup", {}).get("LogGroupArn"))
            group = self.view.find(arn)
            if group is None or group.resource.type != "AWS::Logs::LogGroup":
                self._problem(
                    Code.NO_LOG_GROUP,
                    f"{path}/Destinations/{index}",
                    f"logs to {arn}, which is not in the system",
                    "declare the log group with its retention",
                )
        for action in _DELIVER_LOG:
            yield allow(action, "*", self._why(path))

    def _trace(self) -> Iterator[Need]:
        enabled = self.properties.get("TracingConfiguration", {}).get("Enabled", False)
        path = "/Properties/TracingConfiguration/Enabled"
        if enabled in (True, "true"):
            for action in _TRACE:  # none takes a resource: service authorization reference
                yield allow(action, "*", self._why(path))
        elif enabled not in (False, "false"):
            self._unjudged(path, f"traces if {enabled}")
