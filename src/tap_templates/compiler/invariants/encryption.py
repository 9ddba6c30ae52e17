"""Encryption: at rest on whatever keeps data, and no plain text on the way there (X-03)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.policies import statements
from tap_templates.compiler.invariants.values import as_list, flag, inside
from tap_templates.iam.patterns import covers, covers_action
from tap_templates.iam.services import is_managed_by_aws
from tap_templates.model.retention import STATEFUL
from tap_templates.rendered.view import Located, SystemView

_AT_REST = "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_protect_data_rest_encrypt.html"
_IN_TRANSIT = (
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit"
)

TOPIC = "AWS::SNS::Topic"
QUEUE = "AWS::SQS::Queue"
BUCKET = "AWS::S3::Bucket"

_Problem = tuple[str, str] | None  # what is wrong, and what to do

ALWAYS_ENCRYPTED: Mapping[str, str] = {
    "AWS::Events::Archive": "with a key of EventBridge's own, or of its bus",
    "AWS::KMS::Key": "keys do not leave KMS",
    "AWS::KMS::ReplicaKey": "keys do not leave KMS",
    "AWS::SecretsManager::Secret": "with aws/secretsmanager, or the key given",
}
"""Stateful types that cannot be unencrypted."""


def _queue(properties: Mapping[str, Any], keys: frozenset[str]) -> _Problem:
    stated = str(properties.get("KmsMasterKeyId", ""))
    # Who may send through a key of AWS is for the proof to say: a role may, a service may not.
    if stated and stated not in keys and not is_managed_by_aws(stated):
        return (
            f"is encrypted with {stated}, which is no key of the system in this region",
            "set KmsMasterKeyId to a key of the same region, or SqsManagedSseEnabled instead",
        )
    if stated or flag(properties.get("SqsManagedSseEnabled")):
        return None
    return "is not said to be encrypted", "set SqsManagedSseEnabled, or a KmsMasterKeyId"


def _topic(properties: Mapping[str, Any], keys: frozenset[str]) -> _Problem:
    if str(properties.get("KmsMasterKeyId")) in keys:
        return None
    return (
        "is not encrypted with a key of the system; alarms cannot publish through alias/aws/sns",
        "set KmsMasterKeyId to a key of the same region that admits CloudWatch",
    )


def _log_group(properties: Mapping[str, Any], keys: frozenset[str]) -> _Problem:
    if str(properties.get("KmsKeyId")) in keys:
        return None
    return (
        "is not encrypted with a key of the system",
        "set KmsKeyId to the ARN of a key of the same region that admits CloudWatch Logs",
    )


def _table(properties: Mapping[str, Any], _keys: frozenset[str]) -> _Problem:
    if flag(inside(properties, "SSESpecification", "SSEEnabled")):
        return None
    return "is not said to be encrypted by KMS", "set SSESpecification with SSEEnabled and KMS"


def _bucket(properties: Mapping[str, Any], _keys: frozenset[str]) -> _Problem:
    rules = as_list(inside(properties, "BucketEncryption", "ServerSideEncryptionConfiguration"))
    if any(inside(rule, "ServerSideEncryptionByDefault", "SSEAlgorithm") for rule in rules):
        return None
    return "is not said to be encrypted", "set BucketEncryption with an SSEAlgorithm"


def _vault(properties: Mapping[str, Any], keys: frozenset[str]) -> _Problem:
    if str(properties.get("EncryptionKeyArn")) in keys:
        return None
    return (
        "is not encrypted with a key of the system, which copies of Aurora need",
        "set EncryptionKeyArn to a key of the same region",
    )


def _database(properties: Mapping[str, Any], _keys: frozenset[str]) -> _Problem:
    inherits = ("DBClusterIdentifier", "SourceDBClusterIdentifier")
    if flag(properties.get("StorageEncrypted")) or any(key in properties for key in inherits):
        return None
    return "is not encrypted", "set StorageEncrypted"


AT_REST: Mapping[str, Callable[[Mapping[str, Any], frozenset[str]], _Problem]] = {
    "AWS::Backup::BackupVault": _vault,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::DynamoDB::Table": _table,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::RDS::DBCluster": _database,
    "AWS::RDS::DBInstance": _database,
    "AWS::RDS::GlobalCluster": _database,
    BUCKET: _bucket,
    QUEUE: _queue,
    TOPIC: _topic,
}


def _at_rest(compiled: CompiledSystem) -> Iterator[Fault]:
    keys = {region: _own_keys(compiled.view, region) for region in compiled.view.regions()}
    for located in compiled.view.resources(*STATEFUL, TOPIC):
        kind = located.resource.type
        if kind in ALWAYS_ENCRYPTED:
            continue
        if kind not in AT_REST:
            yield fault_at(
                located,
                f"keeps state, but this check does not know how {kind} is encrypted",
                "add the type to AT_REST or ALWAYS_ENCRYPTED in compiler/invariants/encryption.py",
            )
        elif problem := AT_REST[kind](located.resource.properties, keys[located.stack.region]):
            yield fault_at(located, *problem)


def _own_keys(view: SystemView, region: str) -> frozenset[str]:
    """List all that names a customer key of this region: id, ARN, alias."""
    keys: set[str] = set()
    for located in view.resources("AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"):
        if located.stack.region == region:
            resource = located.resource
            keys |= {each for each in (resource.ref, resource.arn, resource.name) if each}
    return frozenset(keys)


# Type to its policy's type, the property that names what the policy is for, and what must not
# happen in plain text.
_GUARDED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    QUEUE: (
        "AWS::SQS::QueuePolicy",
        "Queues",
        ("sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"),
    ),
    TOPIC: ("AWS::SNS::TopicPolicy", "Topics", ("sns:Publish",)),
    BUCKET: ("AWS::S3::BucketPolicy", "Bucket", ("s3:GetObject", "s3:ListBucket", "s3:PutObject")),
}


def _in_transit(compiled: CompiledSystem) -> Iterator[Fault]:
    for kind, (policy_type, names, actions) in _GUARDED.items():
        policies: dict[tuple[str, str], list[Located]] = {}
        for policy in compiled.view.resources(policy_type):
            for name in as_list(policy.resource.properties.get(names)):
                policies.setdefault((policy.stack.region, str(name)), []).append(policy)
        for located in compiled.view.resources(kind):
            own = policies.get((located.stack.region, located.resource.ref), [])
            if problem := _open(located, own, actions):
                what, remedy = problem
                yield fault_at(located, what, remedy)


def _open(located: Located, policies: list[Located], actions: tuple[str, ...]) -> _Problem:
    if not policies:
        return (
            "has no resource policy, so that it takes plain text",
            "add one in its own stack that denies requests without TLS (blocks/policy.py)",
        )
    if len(policies) > 1:
        both = " and ".join(policy.resource.logical_id for policy in policies)
        return f"has two policies, {both}: AWS keeps the last only", "merge them into one"
    document = policies[0].resource.properties.get("PolicyDocument")
    denied = [each for _, each in statements(document, "") if _denies_plain_text(each, located)]
    patterns = [str(action) for each in denied for action in as_list(each.get("Action"))]
    missing = [
        action for action in actions if not any(covers_action(each, action) for each in patterns)
    ]
    if missing:
        return (
            f"does not refuse {', '.join(missing)} in plain text",
            "add a Deny for everyone on it where aws:SecureTransport is false (blocks/policy.py)",
        )
    return None


def _denies_plain_text(statement: Mapping[str, Any], located: Located) -> bool:
    if statement.get("Effect") != "Deny":
        return False
    # A further condition would let plain text through whenever it does not hold.
    condition = statement.get("Condition")
    if not isinstance(condition, Mapping) or set(condition) != {"Bool"}:
        return False
    tests = condition["Bool"]
    if set(tests) != {"aws:SecureTransport"} or flag(tests["aws:SecureTransport"]) is not False:
        return False
    if statement.get("Principal") not in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
        return False
    arn = str(located.resource.arn)
    wanted = (arn, f"{arn}/*") if located.resource.type == BUCKET else (arn,)
    given = [str(each) for each in as_list(statement.get("Resource"))]
    return all(any(covers(pattern, each) for pattern in given) for each in wanted)


ENCRYPTION = (
    Invariant(
        code="TAP-ENC-01",
        promise="Every store, queue, topic, log group and bucket is encrypted at rest.",
        source_url=_AT_REST,
        check=_at_rest,
    ),
    Invariant(
        code="TAP-ENC-02",
        promise="Every queue, topic and bucket refuses requests without TLS.",
        source_url=_IN_TRANSIT,
        check=_in_transit,
    ),
)
