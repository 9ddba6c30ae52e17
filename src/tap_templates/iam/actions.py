"""Which permissions a call in a handler's code needs, on which resources.

An operation usually needs the action of its own name, which is checked against IAM's data; the
table below says where it does not, and how to read the resource off the arguments. A call that
is in no table is a problem.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tap_templates.iam.code.aws import constants
from tap_templates.iam.code.calls import AwsCall
from tap_templates.iam.code.values import Dictionary, Listed, Text, Values, Variable
from tap_templates.iam.codes import Code
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Need, allow, condition
from tap_templates.iam.services import UnknownTargetError, use_key_of
from tap_templates.rendered.view import Located, SystemView


class CallError(Exception):
    """A call cannot be judged; carries which code to report."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class Runner:
    """The function that runs the code: its environment gives the code its names."""

    view: SystemView
    function: Located

    @property
    def region(self) -> str:
        return self.function.stack.region

    def environment(self) -> dict[str, str]:
        stated = self.function.resource.properties.get("Environment", {}).get("Variables", {})
        return {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": str(self.function.resource.name),
            "AWS_REGION": self.region,
        } | {key: str(value) for key, value in stated.items()}

    def arn(self, service: str, region: str, resource: str) -> str:
        view = self.view
        return f"arn:{view.partition}:{service}:{region}:{view.account}:{resource}"


class _Call:
    """One call by one function, with its arguments resolved on demand."""

    def __init__(self, call: AwsCall, runner: Runner) -> None:
        self.call = call
        self.runner = runner
        self.region = self._region()

    def _region(self) -> str:
        if not self.call.region:
            return self.runner.region
        regions = self.texts(self.call.region, "region_name")
        if len(regions) != 1:
            raise CallError(Code.CALL_RESOURCE, f"goes to one of {', '.join(regions)}")
        return regions[0]

    def given(self, *names: str) -> Values:
        """Read an argument by one of its names; it must be there."""
        for name in names:
            if values := self.call.arguments.get(name):
                return values
        raise CallError(Code.CALL_RESOURCE, f"names no {names[0]} that we can read")

    def has(self, name: str) -> bool:
        """Tell whether an argument is given; not to be able to tell is an error."""
        if name not in self.call.arguments and self.call.is_open:
            raise CallError(Code.CALL_RESOURCE, f"may have {name} in its ** arguments")
        return name in self.call.arguments

    def texts(self, values: Values, what: str) -> list[str]:
        """Spell out what `values` may be, as texts; each has to be known."""
        environment = self.runner.environment()
        found: set[str] = set()
        for value in values:
            if not isinstance(value, Text):
                raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")
            found.add("".join(self._part(part, what, environment) for part in value.parts))
        if not found:
            raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")
        return sorted(found)

    def _part(self, part: str | Variable | None, what: str, environment: Mapping[str, str]) -> str:
        match part:
            case str():
                return part
            case Variable(name, default):
                value = environment.get(name, default)
                if value is None:
                    raise CallError(
                        Code.CALL_RESOURCE,
                        f"takes its {what} from {name}, which the function does not set",
                    )
                return value
        raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")

    def named(self, *names: str) -> list[str]:
        return self.texts(self.given(*names), names[0])

    def arns(self, service: str, prefix: str, *names: str) -> list[str]:
        """Read names or ARNs of resources of the region as ARNs."""
        return [self.full(service, prefix, each) for each in self.named(*names)]

    def full(self, service: str, prefix: str, name: str) -> str:
        """Complete a name to an ARN of the region the call goes to."""
        if name.startswith("arn:"):
            return name
        return self.runner.arn(service, self.region, f"{prefix}{name}")

    def keys(self, name: str) -> list[str]:
        """Read the keys of an argument that is a mapping."""
        found: list[str] = []
        for value in self.given(name):
            if not isinstance(value, Dictionary):
                raise CallError(Code.CALL_RESOURCE, f"takes {name} that we cannot read")
            for key, _ in value.items:
                found += self.texts(key, f"key of {name}")
        return found

    def entries(self, name: str) -> list[dict[str, Values]]:
        """Read an argument that is a list of mappings."""
        found: list[dict[str, Values]] = []
        for value in self.given(name):
            if not isinstance(value, Listed) or not value.items:
                raise CallError(Code.CALL_RESOURCE, f"takes {name} that we cannot read")
            found += [spelled(each, name) for each in value.items]
        return found


def spelled(values: Values, what: str) -> dict[str, Values]:
    """Read one mapping with constant keys."""
    if len(values) == 1:
        (value,) = values
        if isinstance(value, Dictionary):
            keys = [constants(key) for key, _ in value.items]
            if all(key is not None and len(key) == 1 for key in keys):
                return {
                    min(key): each
                    for key, (_, each) in zip(keys, value.items, strict=True)
                    if key is not None
                }
    raise CallError(Code.CALL_RESOURCE, f"has an entry in {what} that we cannot read")


Grants = Iterable[tuple[str, str, Condition]]


def needs_of(call: AwsCall, runner: Runner) -> list[Need]:
    """List what one call needs. Raises CallError if we cannot tell."""
    why = f"{call.file}:{call.line} {call.service}.{call.operation}"
    one = _Call(call, runner)
    rule = _OPERATIONS.get((call.service, call.operation)) or _SERVICES.get(call.service)
    if rule is None or call.operation.startswith("wait:"):
        raise CallError(Code.CALL_UNMAPPED, "needs permissions nobody has written down")
    found: list[Need] = []
    for action, resource, when in rule(one):
        known = find_action(action)
        if known is None:
            raise CallError(Code.CALL_UNMAPPED, f"has no action of its own: {action}")
        found.append(allow(known.name, resource, why, when))
        try:
            found += use_key_of(runner.view, resource, why)
        except UnknownTargetError as unknown:
            raise CallError(Code.CALL_UNMAPPED, f"uses {unknown}") from unknown
    return found


# Rules: a call → the actions and resources. The `action` of most is the operation's own.


def _own_action(call: _Call, service: str) -> str:
    return f"{service}:{call.call.operation.replace('_', '')}"


def _table(call: _Call) -> Grants:
    for arn in call.arns("dynamodb", "table/", "TableName"):
        yield _own_action(call, "dynamodb"), arn, ()


def _table_or_index(call: _Call) -> Grants:
    """Read a query: on an index, the index is what IAM asks about."""
    tables = call.arns("dynamodb", "table/", "TableName")
    indexes = call.named("IndexName") if call.has("IndexName") else [""]
    for table in tables:
        for index in indexes:
            arn = f"{table}/index/{index}" if index else table
            yield _own_action(call, "dynamodb"), arn, ()


def _tables_by_key(call: _Call) -> Grants:
    if "TableName" in call.call.arguments:  # a batch writer
        yield from _table(call)
        return
    for name in call.keys("RequestItems"):
        yield _own_action(call, "dynamodb"), call.full("dynamodb", "table/", name), ()


_TRANSACTED = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}


def _transaction(call: _Call) -> Grants:
    for entry in call.entries("TransactItems"):
        for kind, values in entry.items():
            if kind not in _TRANSACTED:
                raise CallError(Code.CALL_UNMAPPED, f"has {kind} in a transaction")
            names = spelled(values, kind).get("TableName", frozenset())
            for name in call.texts(names, "TableName"):
                yield _TRANSACTED[kind], call.full("dynamodb", "table/", name), ()


def _put_events(call: _Call) -> Grants:
    for entry in call.entries("Entries"):
        buses = call.texts(entry["EventBusName"], "EventBusName") if "EventBusName" in entry else []
        for bus in buses or ["default"]:
            arn = call.full("events", "event-bus/", bus)
            for each in _both_sides(call, arn) if call.has("EndpointId") else [arn]:
                yield "events:PutEvents", each, ()


def _both_sides(call: _Call, bus: str) -> list[str]:
    """Find the buses of the endpoint that has `bus`: AWS asks about the one that is active."""
    for endpoint in call.runner.view.resources("AWS::Events::Endpoint"):
        buses = [each["EventBusArn"] for each in endpoint.resource.properties["EventBuses"]]
        if bus in buses:
            return [str(each) for each in buses]
    raise CallError(Code.CALL_RESOURCE, f"puts through an endpoint that does not have {bus}")


def _queue(call: _Call) -> Grants:
    for url in call.named("QueueUrl"):
        host, _, rest = url.removeprefix("https://sqs.").partition(f".{_suffix(call)}/")
        account, _, name = rest.partition("/")
        if not url.startswith("https://sqs.") or not name:
            raise CallError(Code.CALL_RESOURCE, f"has a queue URL we cannot read: {url}")
        arn = f"arn:{call.runner.view.partition}:sqs:{host}:{account}:{name}"
        yield f"sqs:{call.call.operation.removesuffix('_batch').replace('_', '')}", arn, ()


def _suffix(call: _Call) -> str:
    return "amazonaws.com.cn" if call.runner.view.partition == "aws-cn" else "amazonaws.com"


def _topic(call: _Call) -> Grants:
    for arn in call.named("TopicArn"):
        yield f"sns:{call.call.operation.removesuffix('_batch').replace('_', '')}", arn, ()


def _object(action: str) -> Callable[[_Call], Grants]:
    def rule(call: _Call) -> Grants:
        position = "1" if call.call.operation.startswith("upload_") else "0"
        for bucket in call.named("Bucket", position):
            for key in call.named("Key", str(int(position) + 1)):
                yield action, f"arn:{call.runner.view.partition}:s3:::{bucket}/{key}", ()

    return rule


def _list_bucket(call: _Call) -> Grants:
    for bucket in call.named("Bucket"):
        yield "s3:ListBucket", f"arn:{call.runner.view.partition}:s3:::{bucket}", ()


def _invoke(call: _Call) -> Grants:
    qualifiers = call.named("Qualifier") if call.has("Qualifier") else [""]
    for arn in call.arns("lambda", "function:", "FunctionName"):
        for qualifier in qualifiers:
            yield "lambda:InvokeFunction", f"{arn}:{qualifier}" if qualifier else arn, ()


def _key(call: _Call) -> Grants:
    for arn in call.named("KeyId"):
        if ":key/" not in arn:
            raise CallError(Code.CALL_RESOURCE, f"names a key other than by its ARN: {arn}")
        yield _own_action(call, "kms"), arn, ()


def _parameter(call: _Call) -> Grants:
    for name in call.named("Name"):
        resource = f"parameter/{name.removeprefix('/')}"
        arn = name if name.startswith("arn:") else call.runner.arn("ssm", call.region, resource)
        yield "ssm:GetParameter", arn, ()


def _secret(call: _Call) -> Grants:
    for arn in call.named("SecretId"):
        if not arn.startswith("arn:"):
            raise CallError(Code.CALL_RESOURCE, f"names a secret other than by its ARN: {arn}")
        yield "secretsmanager:GetSecretValue", arn, ()


def _execution(call: _Call) -> Grants:
    for arn in call.named("stateMachineArn"):
        yield "states:StartExecution", arn, ()


def _put_metric(call: _Call) -> Grants:
    """Ask for `*` held to the namespace: the action's one resource type is for datasets only."""
    for namespace in call.named("Namespace"):
        held = condition(("StringEquals", "cloudwatch:namespace", [namespace]))
        yield "cloudwatch:PutMetricData", "*", held


def _nothing(_call: _Call) -> Grants:
    return ()  # AWS allows it to everyone


Rule = Callable[[_Call], Grants]
_SERVICES: Mapping[str, Rule] = {"sns": _topic, "sqs": _queue}
_OPERATIONS: Mapping[tuple[str, str], Rule] = {
    **{
        ("dynamodb", operation): _table
        for operation in ("delete_item", "describe_table", "get_item", "put_item", "update_item")
    },
    ("cloudwatch", "put_metric_data"): _put_metric,
    ("dynamodb", "batch_get_item"): _tables_by_key,
    ("dynamodb", "batch_write_item"): _tables_by_key,
    ("dynamodb", "query"): _table_or_index,
    ("dynamodb", "scan"): _table_or_index,
    ("dynamodb", "transact_get_items"): _transaction,
    ("dynamodb", "transact_write_items"): _transaction,
    ("events", "put_events"): _put_events,
    ("kms", "decrypt"): _key,
    ("kms", "encrypt"): _key,
    ("lambda", "invoke"): _invoke,
    ("s3", "delete_object"): _object("s3:DeleteObject"),
    ("s3", "download_file"): _object("s3:GetObject"),
    ("s3", "get_object"): _object("s3:GetObject"),
    ("s3", "head_bucket"): _list_bucket,
    ("s3", "head_object"): _object("s3:GetObject"),
    ("s3", "list_objects_v2"): _list_bucket,
    ("s3", "put_object"): _object("s3:PutObject"),
    ("s3", "upload_file"): _object("s3:PutObject"),
    ("s3", "upload_fileobj"): _object("s3:PutObject"),
    ("secretsmanager", "get_secret_value"): _secret,
    ("ssm", "get_parameter"): _parameter,
    ("stepfunctions", "start_execution"): _execution,
    ("sts", "get_caller_identity"): _nothing,
}
