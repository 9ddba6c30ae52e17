"""What a task of a state machine calls, and what the machine's role must be allowed for it.

Each call knows its integration, its parameters and the one resource it acts on, so that the role
of a machine follows from its tasks: none can be called without the grant, none granted without
the call.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from awacs import aws, awslambda, dynamodb, sns, sqs
from troposphere import encode_to_dict

from tap_templates.blocks.function import Function
from tap_templates.blocks.key import use_through
from tap_templates.blocks.policy import allow
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.table import Table
from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError

Payload = Mapping[str, object]
"""A payload template: a key that ends in `.$` has a JSONPath, a path into the context (`$$.`) or
an intrinsic (`States.…`) as value; any other value is passed as it is. Texts may be intrinsic
functions of CloudFormation."""

_SERVICE = re.compile(r"[a-z][a-z0-9]*")
_OPERATION = re.compile(r"[a-z][A-Za-z0-9]*")
_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class Use:
    """Actions on a resource; with `through`, of a key that this service uses for the role.

    They are allowed while all of `when` holds.
    """

    actions: tuple[aws.Action, ...]
    resource: Text
    through: str = ""
    when: tuple[aws.ConditionElement, ...] = ()


class Call(Protocol):
    """What a Task state does."""

    @property
    def integration(self) -> str:
        """Name the integration: what follows `arn:…:states:::`."""
        ...

    def parameters(self) -> Payload: ...

    def uses(self) -> tuple[Use, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Invoke the live alias of a function and wait; its answer is in `$.Payload` of the result.

    What the handler raises is the error of the task, by the name of the exception's class.
    """

    function: Function
    payload: Payload

    integration = "lambda:invoke"

    def parameters(self) -> Payload:
        return {"FunctionName": self.function.live_arn, "Payload": self.payload}

    def uses(self) -> tuple[Use, ...]:
        return (Use((awslambda.InvokeFunction,), self.function.live_arn),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a message to a queue of this region that SQS encrypts by itself."""

    queue: Queue
    body: Payload

    integration = "sqs:sendMessage"

    def parameters(self) -> Payload:
        return {"MessageBody": self.body, "QueueUrl": self.queue.url}

    def uses(self) -> tuple[Use, ...]:
        return (Use((sqs.SendMessage,), self.queue.arn),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish to a topic; `key` is the ARN of the customer managed key it is encrypted with."""

    topic: Topic
    message: Payload
    subject: str = ""
    key: Text | None = None

    integration = "sns:publish"

    def parameters(self) -> Payload:
        subject = {"Subject": self.subject} if self.subject else {}
        return {"Message": self.message, **subject, "TopicArn": self.topic.arn}

    def uses(self) -> tuple[Use, ...]:
        publish = Use((sns.Publish,), self.topic.arn)
        return (publish,) if self.key is None else (publish, Use((), self.key, through="sns"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetItem:
    """Read one item by its key, in DynamoDB's JSON; a missing one gives a result without `Item`."""

    table: Table
    key: Payload
    consistent: bool = True  # with the writes of this region, that is

    integration = "dynamodb:getItem"

    def parameters(self) -> Payload:
        return {
            "ConsistentRead": self.consistent,
            "Key": self.key,
            "TableName": sub(self.table.name),
        }

    def uses(self) -> tuple[Use, ...]:
        return (Use((dynamodb.GetItem,), self.table.arn()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A condition or an update in DynamoDB's language, with what its placeholders stand for."""

    text: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutItem:
    """Write an item whole, if `condition` holds for the one that is there."""

    table: Table
    item: Payload
    condition: Expression | None = None

    integration = "dynamodb:putItem"

    def parameters(self) -> Payload:
        return {
            "Item": self.item,
            "TableName": sub(self.table.name),
            **_expressions(condition=self.condition),
        }

    def uses(self) -> tuple[Use, ...]:
        return (Use((dynamodb.PutItem,), self.table.arn()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateItem:
    """Change attributes of an item, or make it, if `condition` holds for the one that is there."""

    table: Table
    key: Payload
    update: Expression
    condition: Expression | None = None

    integration = "dynamodb:updateItem"

    def parameters(self) -> Payload:
        return {
            "Key": self.key,
            "TableName": sub(self.table.name),
            **_expressions(update=self.update, condition=self.condition),
        }

    def uses(self) -> tuple[Use, ...]:
        return (Use((dynamodb.UpdateItem,), self.table.arn()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkCall:
    """Call any operation of AWS as its SDK spells it: `rds`, `failoverGlobalCluster`.

    `allowed` lists the IAM actions it takes with their resources, since neither follows from the
    operation: `{"rds:FailoverGlobalCluster": [global_cluster, cluster]}`. Parameters are spelled
    in PascalCase whatever the service does.
    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """

    service: str
    operation: str
    given: Payload
    allowed: Mapping[str, Sequence[Text]]

    def __post_init__(self) -> None:
        where = f"call {self.service}:{self.operation}"
        if not (_SERVICE.fullmatch(self.service) and _OPERATION.fullmatch(self.operation)):
            raise ModelError(
                where, "is not spelled as the SDK does", "write it like rds, failoverGlobalCluster"
            )
        if small := sorted(key for key in self.given if not key[:1].isupper()):
            raise ModelError(
                where,
                f"has the parameters {', '.join(small)}, which Step Functions spells in PascalCase",
                "begin them with a capital letter",
            )
        if not self.allowed or not all(self.allowed.values()):
            raise ModelError(
                where, "says no action or no resource", "list the actions with their ARNs"
            )
        if wrong := sorted(name for name in self.allowed if not _ACTION.fullmatch(name)):
            raise ModelError(
                where,
                f"allows {', '.join(wrong)}, which is no single action",
                "write it like rds:FailoverGlobalCluster",
            )

    @property
    def integration(self) -> str:
        return f"aws-sdk:{self.service}:{self.operation}"

    def parameters(self) -> Payload:
        return self.given

    def uses(self) -> tuple[Use, ...]:
        return tuple(
            Use((aws.Action(*name.split(":")),), resource)
            for name, resources in self.allowed.items()
            for resource in resources
        )


def _expressions(
    *, update: Expression | None = None, condition: Expression | None = None
) -> dict[str, object]:
    found: dict[str, object] = {}
    names: dict[str, str] = {}
    values: dict[str, object] = {}
    for parameter, each in (("UpdateExpression", update), ("ConditionExpression", condition)):
        if each is not None:
            found[parameter] = each.text
            names |= each.names
            values |= each.values
    if names:
        found["ExpressionAttributeNames"] = names
    if values:
        found["ExpressionAttributeValues"] = values
    return found


def grants(calls: Iterable[Call]) -> list[aws.Statement]:
    """Make the statements that the calls need: one for each set of actions and conditions."""
    plain: dict[tuple[tuple[str, ...], str], tuple[Use, dict[str, Text]]] = {}
    keys: dict[str, Use] = {}
    for use in (use for call in calls for use in call.uses()):
        written = json.dumps(encode_to_dict(use.resource), sort_keys=True)
        if use.through:
            keys[f"{use.through} {written}"] = use
            continue
        names = tuple(sorted(action.JSONrepr() for action in use.actions))
        held = json.dumps(encode_to_dict(aws.Condition(list(use.when))), sort_keys=True)
        plain.setdefault((names, held), (use, {}))[1][written] = use.resource
    found: list[aws.Statement] = []
    made: Counter[str] = Counter()
    for (names, _), (use, resources) in sorted(plain.items()):
        sid = _sid(names)
        made[sid] += 1
        number = str(made[sid]) if made[sid] > 1 else ""
        named = [resource for _, resource in sorted(resources.items())]
        found.append(allow(f"{sid}{number}", use.actions, named, *use.when))
    for count, (_, use) in enumerate(sorted(keys.items()), 1):
        found.append(use_through(f"UseKey{count}", use.through, use.resource))
    return found


def _sid(actions: Sequence[str]) -> str:
    """Name a statement after its actions; the service is in it, since services share names."""
    return "".join(
        "".join(part[:1].upper() + part[1:] for part in action.replace("-", ":").split(":"))
        for action in actions
    )
