"""A global table with indexes in both regions, and objects that are written once."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY
from local.reading import problems
from local.stack_sets import StackSet, refusal

BOTH = (PRIMARY, SECONDARY)
NAME = f"table-{uuid4().hex[:8]}"
INDEXES = {"GSI1": ("GSI1PK", "GSI1SK"), "TimeSeriesIndex": ("TS_PK", "TS_SK")}
KEYS = ("PK", "SK", *INDEXES["GSI1"], *INDEXES["TimeSeriesIndex"])


def keys(first, second):
    return [
        {"AttributeName": first, "KeyType": "HASH"},
        {"AttributeName": second, "KeyType": "RANGE"},
    ]


def index(name, first, second):
    return {
        "IndexName": name,
        "KeySchema": keys(first, second),
        "Projection": {"ProjectionType": "ALL"},
    }


def body(consistency="EVENTUAL", more=(), expiry="ExpiresAt"):
    properties = {
        "TableName": NAME,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("PK", "SK"),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in KEYS],
        "GlobalSecondaryIndexes": [
            *(index(name, *pair) for name, pair in INDEXES.items()),
            *more,
        ],
        "MultiRegionConsistency": consistency,
        "Replicas": [
            {
                "Region": region,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            }
            for region in BOTH
        ],
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "TimeToLiveSpecification": {
            "Fn::If": [
                "Expires",
                {"AttributeName": expiry, "Enabled": True},
                {"Ref": "AWS::NoValue"},
            ]
        },
    }
    table = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}
    return json.dumps(
        {
            "Conditions": {"Expires": {"Fn::Not": [{"Fn::Equals": [expiry, ""]}]}},
            "Resources": {"Table": table},
            "Outputs": {"Stream": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}}},
        }
    )


@pytest.fixture(scope="module")
def made(clients):
    made = StackSet(clients, TemplateBody=body()).create(PRIMARY)
    yield made
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"
    for region in BOTH:
        assert NAME not in clients("dynamodb", region).list_tables()["TableNames"]


def put(clients, region, **attributes):
    item = {key: {"S": value} for key, value in attributes.items()}
    clients("dynamodb", region).put_item(TableName=NAME, Item=item)


def newest(clients, region, name, value, until):
    """Query an index for the newest item up to a sort key."""
    first, second = INDEXES[name]
    found = clients("dynamodb", region).query(
        TableName=NAME,
        IndexName=name,
        KeyConditionExpression=f"{first} = :first AND {second} <= :second",
        ExpressionAttributeValues={":first": {"S": value}, ":second": {"S": until}},
        ScanIndexForward=False,
        Limit=1,
    )
    return [each["PK"]["S"] for each in found["Items"]]


@pytest.mark.parametrize(("writer", "reader"), [BOTH, BOTH[::-1]])
def test_an_index_of_each_replica_has_what_the_other_wrote(made, clients, writer, reader):
    for name, (first, second) in INDEXES.items():
        unique = uuid4().hex
        at = (name, unique, "2026-02-15")
        for month in ("2026-01", "2026-02", "2026-03"):
            indexed = {first: unique, second: f"{month}-01"}
            put(clients, writer, PK=f"{month}-{unique}", SK="x", **indexed)
        for region in (writer, reader):
            assert newest(clients, region, *at) == [f"2026-02-{unique}"]
        gone = {"PK": {"S": f"2026-02-{unique}"}, "SK": {"S": "x"}}
        clients("dynamodb", reader).delete_item(TableName=NAME, Key=gone)
        for region in (writer, reader):
            assert newest(clients, region, *at) == [f"2026-01-{unique}"]


def test_an_item_that_leaves_an_index_leaves_it_everywhere(made, clients):
    unique = uuid4().hex
    put(clients, PRIMARY, PK=unique, SK="x", TS_PK=unique, TS_SK="t")
    put(clients, SECONDARY, PK=unique, SK="x", GSI1PK=unique, GSI1SK="g")
    for region in BOTH:
        assert newest(clients, region, "TimeSeriesIndex", unique, "z") == []
        assert newest(clients, region, "GSI1", unique, "z") == [unique]


def test_a_condition_is_judged_by_the_replica_at_hand(made, clients):
    unique = uuid4().hex
    put(clients, PRIMARY, PK=unique, SK="x", status="STORED", execution="one")
    update = {
        "TableName": NAME,
        "Key": {"PK": {"S": unique}, "SK": {"S": "x"}},
        "UpdateExpression": "SET #s = :new REMOVE #e",
        "ConditionExpression": "attribute_not_exists(PK) OR #e = :execution",
        "ExpressionAttributeNames": {"#s": "status", "#e": "execution"},
        "ExpressionAttributeValues": {":new": {"S": "COMPENSATED"}, ":execution": {"S": "two"}},
    }
    dynamodb = clients("dynamodb", SECONDARY)
    assert refusal(dynamodb.update_item, **update) == "ConditionalCheckFailedException"
    update["ExpressionAttributeValues"][":execution"] = {"S": "one"}
    dynamodb.update_item(**update)
    asked = {"TableName": NAME, "Key": update["Key"], "ConsistentRead": True}
    assert clients("dynamodb").get_item(**asked)["Item"]["status"] == {"S": "COMPENSATED"}


def test_every_replica_is_what_the_template_says(made, clients):
    assert problems(made, PRIMARY, body()) == []
    assert made.stack()["Outputs"][0]["OutputValue"].startswith("arn:aws:dynamodb:us-east-1:")
    for region in BOTH:
        table = clients("dynamodb", region).describe_table(TableName=NAME)["Table"]
        assert f":{region}:" in table["LatestStreamArn"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (body(more=[index("Third", "GSI1PK", "SK")]), "indexes"),
        (body(expiry="Another"), "expiry"),
        (body(expiry=""), "expiry"),
        (body(consistency="STRONG"), "MultiRegionConsistency"),
    ],
    ids=["index", "other-expiry", "no-expiry", "consistency"],
)
def test_reading_back_notices_what_differs_in_each_replica(made, template, says):
    found = problems(made, PRIMARY, template)
    assert len(found) == len(BOTH)
    assert all(says in each for each in found)


def test_an_index_that_comes_later_is_refused(made):
    """The engine would make it in one replica alone."""
    later = body(more=[index("Third", "GSI1PK", "SK")])
    operation = made.run("update_stack_set", TemplateBody=later)
    reason = made.results(operation)[PRIMARY]["StatusReason"]
    assert "does not simulate a change of ['GlobalSecondaryIndexes']" in reason


def test_an_object_is_written_once(clients):
    for region in BOTH:
        s3, bucket = clients("s3", region), f"audit-{uuid4().hex[:8]}"
        place = {} if region == PRIMARY else {"LocationConstraint": region}
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
        known = {"Bucket": bucket, "Key": "events/2026/02/01/one.json"}
        s3.put_object(**known, Body=b"first", IfNoneMatch="*")
        again = refusal(s3.put_object, **known, Body=b"second", IfNoneMatch="*")
        assert again == "PreconditionFailed"
        assert s3.get_object(**known)["Body"].read() == b"first"
