"""Which permissions a call in a handler's code needs, on which resources.

An operation usually needs the action of its own name, which is checked against IAM's data; the
table below says where it does not, and how to read the resource off the arguments. A call that
is in no table is a problem.
"""

from collections.abc import Callable, Iterable, Mapping

from tap_templates.iam.arguments import Call, CallError, Runner, spelled
from tap_templates.iam.code.calls import AwsCall
from tap_templates.iam.codes import Code
from tap_templates.iam.database_needs import connect
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Need, allow, condition
from tap_templates.iam.secrets import read_secret
from tap_templates.iam.services import UnknownTargetError, of_events, queue_arn, use_key_of

__all__ = ["CallError", "Runner", "needs_of"]

Grants = Iterable[tuple[str, str, Condition]]


def needs_of(call: AwsCall, runner: Runner) -> list[Need]:
    """List what one call needs. Raises CallError if we cannot tell."""
    why = f"{call.file}:{call.line} {call.service}.{call.operation}"
    one = Call(call, runner)
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


def _own_action(call: Call, service: str) -> str:
    return f"{service}:{call.call.operation.replace('_', '')}"


def _table(call: Call) -> Grants:
    for arn in call.arns("dynamodb", "table/", "TableName"):
        yield _own_action(call, "dynamodb"), arn, ()


def _table_or_index(call: Call) -> Grants:
    """Read a query: on an index, the index is what IAM asks about."""
    tables = call.arns("dynamodb", "table/", "TableName")
    indexes = call.named("IndexName") if call.has("IndexName") else [""]
    for table in tables:
        for index in indexes:
            arn = f"{table}/index/{index}" if index else table
            yield _own_action(call, "dynamodb"), arn, ()


def _tables_by_key(call: Call) -> Grants:
    if "TableName" in call.call.arguments:  # a batch writer
        yield from _table(call)
        return
    for name in call.keys("RequestItems"):
        yield _own_action(call, "dynamodb"), call.full("dynamodb", "table/", name), ()


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
_MORE_OF_PUT_OBJECT = (
    "ACL",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWriteACP",
    "IfMatch",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "SSEKMSKeyId",
    "Tagging",
)
_MORE_OF_MAPPING = ("FunctionName", "KMSKeyArn")
_TRANSACTED = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}


def _transaction(call: Call) -> Grants:
    for entry in call.entries("TransactItems"):
        for kind, values in entry.items():
            if kind not in _TRANSACTED:
                raise CallError(Code.CALL_UNMAPPED, f"has {kind} in a transaction")
            names = spelled(values, kind).get("TableName", frozenset())
            for name in call.texts(names, "TableName"):
                yield _TRANSACTED[kind], call.full("dynamodb", "table/", name), ()


def _put_events(call: Call) -> Grants:
    """Read events put: what AWS asks about are the sources and types of all entries of a bus."""
    said: dict[str, tuple[set[str], set[str]]] = {}
    for entry in call.entries("Entries"):
        buses = call.texts(entry["EventBusName"], "EventBusName") if "EventBusName" in entry else []
        for bus in buses or ["default"]:
            arn = call.full("events", "event-bus/", bus)
            for each in _both_sides(call, arn) if call.has("EndpointId") else [arn]:
                sources, types = said.setdefault(each, (set(), set()))
                sources.update(call.texts(entry.get("Source", frozenset()), "Source"))
                types.update(call.texts(entry.get("DetailType", frozenset()), "DetailType"))
    for arn, (sources, types) in sorted(said.items()):
        yield "events:PutEvents", arn, of_events(sources, types)


def _both_sides(call: Call, bus: str) -> list[str]:
    """Find the buses of the endpoint that has `bus`: AWS asks about the one that is active."""
    for endpoint in call.runner.view.resources("AWS::Events::Endpoint"):
        buses = [each["EventBusArn"] for each in endpoint.resource.properties["EventBuses"]]
        if bus in buses:
            return [str(each) for each in buses]
    raise CallError(Code.CALL_RESOURCE, f"puts through an endpoint that does not have {bus}")


def _queue(call: Call) -> Grants:
    for url in call.named("QueueUrl"):
        arn = queue_arn(call.runner.view, url)
        if arn is None:
            raise CallError(Code.CALL_RESOURCE, f"has a queue URL we cannot read: {url}")
        yield f"sqs:{call.call.operation.removesuffix('_batch').replace('_', '')}", arn, ()


def _topic(call: Call) -> Grants:
    for arn in call.named("TopicArn"):
        yield f"sns:{call.call.operation.removesuffix('_batch').replace('_', '')}", arn, ()


def _object(action: str) -> Callable[[Call], Grants]:
    def rule(call: Call) -> Grants:
        position = "1" if call.call.operation.startswith("upload_") else "0"
        for bucket in call.named("Bucket", position):
            for key in call.keys_of_objects("Key", str(int(position) + 1)):
                yield action, f"arn:{call.runner.view.partition}:s3:::{bucket}/{key}", ()

    return rule


def _put_object(call: Call) -> Grants:
    for name in _MORE_OF_PUT_OBJECT:
        if call.has(name):
            raise CallError(Code.CALL_UNMAPPED, f"gives {name}, which takes more than PutObject")
    yield from _object("s3:PutObject")(call)


def _list_bucket(call: Call) -> Grants:
    for bucket in call.named("Bucket"):
        yield "s3:ListBucket", f"arn:{call.runner.view.partition}:s3:::{bucket}", ()


def _invoke(call: Call) -> Grants:
    qualifiers = call.named("Qualifier") if call.has("Qualifier") else [""]
    for arn in call.arns("lambda", "function:", "FunctionName"):
        for qualifier in qualifiers:
            yield "lambda:InvokeFunction", f"{arn}:{qualifier}" if qualifier else arn, ()


def _key(call: Call) -> Grants:
    for arn in call.named("KeyId"):
        if ":key/" not in arn:
            raise CallError(Code.CALL_RESOURCE, f"names a key other than by its ARN: {arn}")
        yield _own_action(call, "kms"), arn, ()


def _parameter(call: Call) -> Grants:
    for name in call.named("Name"):
        resource = f"parameter/{name.removeprefix('/')}"
        arn = name if name.startswith("arn:") else call.runner.arn("ssm", call.region, resource)
        yield "ssm:GetParameter", arn, ()


def _parameters_below(call: Call) -> Grants:
    """Read a path: IAM asks about the path itself, as it is spelled, and not what is below."""
    for path in call.named("Path"):
        arn = call.runner.arn("ssm", call.region, f"parameter/{path.removeprefix('/')}")
        yield "ssm:GetParametersByPath", arn, ()


def _mapping(call: Call) -> Grants:
    for name in _MORE_OF_MAPPING:
        if call.has(name):
            raise CallError(Code.CALL_UNMAPPED, f"gives {name}, which takes more of the role")
    for uuid in call.named("UUID"):
        arn = call.runner.arn("lambda", call.region, f"event-source-mapping:{uuid}")
        yield _own_action(call, "lambda"), arn, ()


def _execution(call: Call) -> Grants:
    for arn in call.named("stateMachineArn"):
        yield "states:StartExecution", arn, ()


def _put_metric(call: Call) -> Grants:
    """Ask for `*` held to the namespace: the action's one resource type is for datasets only."""
    for namespace in call.named("Namespace"):
        held = condition(("StringEquals", "cloudwatch:namespace", [namespace]))
        yield "cloudwatch:PutMetricData", "*", held


def _nothing(_call: Call) -> Grants:
    return ()  # AWS allows it to everyone


Rule = Callable[[Call], Grants]
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
    ("lambda", "get_event_source_mapping"): _mapping,
    ("lambda", "invoke"): _invoke,
    ("lambda", "update_event_source_mapping"): _mapping,
    ("rds", "generate_db_auth_token"): connect,
    ("s3", "delete_object"): _object("s3:DeleteObject"),
    ("s3", "download_file"): _object("s3:GetObject"),
    ("s3", "get_object"): _object("s3:GetObject"),
    ("s3", "head_bucket"): _list_bucket,
    ("s3", "head_object"): _object("s3:GetObject"),
    ("s3", "list_objects_v2"): _list_bucket,
    ("s3", "put_object"): _put_object,
    ("s3", "upload_file"): _object("s3:PutObject"),
    ("s3", "upload_fileobj"): _object("s3:PutObject"),
    ("secretsmanager", "get_secret_value"): read_secret,
    ("ssm", "get_parameter"): _parameter,
    ("ssm", "get_parameters_by_path"): _parameters_below,
    ("stepfunctions", "start_execution"): _execution,
    ("sts", "get_caller_identity"): _nothing,
}
