"""Global tables: replicas, and strong consistency between them."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from local.stack_sets import PRIMARY, SECONDARY, StackSet, refusal

WITNESS = "us-east-2"
BOTH = (PRIMARY, SECONDARY)


def body(name, *, strong=True, regions=BOTH, index=None, **more):
    properties = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "Replicas": [
            {
                "Region": region,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"},
                "Tags": [{"Key": "Region", "Value": region}],
                **more,
            }
            for region in regions
        ],
    }
    if index:
        partition, sort = index
        properties["AttributeDefinitions"] += [
            {"AttributeName": each, "AttributeType": "S"} for each in index
        ]
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "Open",
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    if strong:
        properties |= {
            "MultiRegionConsistency": "STRONG",
            "GlobalTableWitnesses": [{"Region": WITNESS}],
        }
    table = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}
    arn = {"Value": {"Fn::GetAtt": ["Table", "Arn"]}}
    return json.dumps({"Resources": {"Table": table}, "Outputs": {"Arn": arn}})


@pytest.fixture
def name():
    return f"table-{uuid4().hex[:8]}"


@pytest.fixture
def strong(clients, name):
    return StackSet(clients, TemplateBody=body(name)).create(SECONDARY)


def put(clients, region, table, item, **condition):
    return clients("dynamodb", region).put_item(
        TableName=table, Item={"id": {"S": item}, "by": {"S": region}}, **condition
    )


def get(clients, region, table, item):
    found = clients("dynamodb", region).get_item(TableName=table, Key={"id": {"S": item}})
    return found.get("Item")


def test_replicas_are_made_with_what_they_have_of_their_own(strong, clients, name):
    assert strong.stack(SECONDARY)["Outputs"][0]["OutputValue"].endswith(f"table/{name}")
    for region in BOTH:
        dynamodb = clients("dynamodb", region)
        table = dynamodb.describe_table(TableName=name)["Table"]
        assert f":{region}:" in table["TableArn"]
        assert table["MultiRegionConsistency"] == "STRONG"
        assert table["GlobalTableWitnesses"] == [{"RegionName": WITNESS, "WitnessStatus": "ACTIVE"}]
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        assert {"Key": "Region", "Value": region} in tags
    missing = refusal(clients("dynamodb", WITNESS).describe_table, TableName=name)
    assert missing == "ResourceNotFoundException"


def test_a_condition_sees_the_write_of_the_other_region(strong, clients, name):
    put(clients, PRIMARY, name, "one")
    condition = {
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    found = refusal(put, clients, SECONDARY, name, "one", **condition)
    assert found == "ConditionalCheckFailedException"
    assert get(clients, SECONDARY, name, "one")["by"] == {"S": PRIMARY}


def test_of_eight_clients_in_two_regions_one_wins(strong, clients, name):
    """Twenty races; in each, exactly one conditional put succeeds, wherever it came from."""
    for region in BOTH:
        clients("dynamodb", region)  # made here: boto3 makes clients in one thread only

    def claim(number, race):
        try:
            put(
                clients,
                BOTH[number % 2],
                name,
                f"race-{race}",
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "won"

    with ThreadPoolExecutor(8) as pool:
        for race in range(20):
            won = list(pool.map(claim, range(8), [race] * 8))
            assert sorted(won) == ["ConditionalCheckFailedException"] * 7 + ["won"]
    counts = {
        region: clients("dynamodb", region).describe_table(TableName=name)["Table"]["ItemCount"]
        for region in BOTH
    }
    assert counts == dict.fromkeys(BOTH, 20)


def test_each_region_streams_each_write_once(strong, clients, name):
    put(clients, PRIMARY, name, "one")
    for region in BOTH:
        table = clients("dynamodb", region).describe_table(TableName=name)["Table"]
        streams = clients("dynamodbstreams", region)
        shards = streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]
        iterator = streams.get_shard_iterator(
            StreamArn=table["LatestStreamArn"],
            ShardId=shards["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        assert len(streams.get_records(ShardIterator=iterator)["Records"]) == 1


def test_an_index_of_a_strong_table_gives_in_each_region_what_was_written_in_either(clients, name):
    made = StackSet(clients, TemplateBody=body(name, index=("open", "at"))).create(SECONDARY)

    def found(region):
        asked = {
            "TableName": name,
            "IndexName": "Open",
            "KeyConditionExpression": "#open = :shard AND #at < :now",
            "ExpressionAttributeNames": {"#open": "open", "#at": "at"},
            "ExpressionAttributeValues": {":shard": {"S": "p0"}, ":now": {"S": "2026-11-20T12"}},
        }
        items = clients("dynamodb", region).query(**asked)["Items"]
        return [each["id"]["S"] for each in items]

    assert found(PRIMARY) == found(SECONDARY) == []
    for region, item, at in (
        (PRIMARY, "late", "2026-11-20T11"),
        (SECONDARY, "early", "2026-11-19"),
    ):
        entry = {"id": {"S": item}, "open": {"S": "p0"}, "at": {"S": at}}
        clients("dynamodb", region).put_item(TableName=name, Item=entry)
    assert found(PRIMARY) == found(SECONDARY) == ["early", "late"]
    clients("dynamodb", PRIMARY).update_item(
        TableName=name,
        Key={"id": {"S": "early"}},
        UpdateExpression="REMOVE #open",
        ExpressionAttributeNames={"#open": "open"},
    )
    assert found(PRIMARY) == found(SECONDARY) == ["late"]
    assert made.delete(SECONDARY)["Status"] == "SUCCEEDED"


def test_a_replica_is_not_deleted_alone(strong, clients, name):
    found = refusal(clients("dynamodb", PRIMARY).delete_table, TableName=name)
    assert found == "ValidationException"
    found = refusal(
        clients("dynamodb", SECONDARY).update_table,
        TableName=name,
        ReplicaUpdates=[{"Delete": {"RegionName": PRIMARY}}],
    )
    assert found == "ValidationException"


def test_deleting_the_stack_deletes_all_replicas(strong, clients, name):
    assert strong.delete(SECONDARY)["Status"] == "SUCCEEDED"
    for region in BOTH:
        assert name not in clients("dynamodb", region).list_tables()["TableNames"]


def test_an_update_keeps_the_items(strong, clients, name):
    put(clients, PRIMARY, name, "one")
    changed = body(name, DeletionProtectionEnabled=True)
    assert strong.run("update_stack_set", TemplateBody=changed)["Status"] == "SUCCEEDED"
    for region in BOTH:
        table = clients("dynamodb", region).describe_table(TableName=name)["Table"]
        assert table["DeletionProtectionEnabled"] is True
        assert get(clients, region, name, "one")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (lambda name: body(name, regions=(SECONDARY,)), ""),
        (lambda name: body(name, regions=(PRIMARY, "eu-west-1")), "region of the stack"),
        (lambda name: body(name, regions=(SECONDARY, "eu-west-1")), "three regions of one set"),
        (lambda name: body(name, regions=(SECONDARY, WITNESS)), "three regions of one set"),
    ],
    ids=["alone", "elsewhere", "continents", "witness-is-replica"],
)
def test_what_aws_refuses_fails_the_stack_and_leaves_no_table(clients, name, template, says):
    made = StackSet(clients, TemplateBody=template(name))
    operation = made.run("create_stack_instances", SECONDARY)
    assert operation["Status"] == "FAILED" or not says
    if says:
        assert says in made.results(operation)[SECONDARY]["StatusReason"]
        assert name not in clients("dynamodb", SECONDARY).list_tables()["TableNames"]


class TestEventual:
    def test_writes_and_deletions_arrive(self, clients, name):
        StackSet(clients, TemplateBody=body(name, strong=False)).create(PRIMARY)
        table = clients("dynamodb").describe_table(TableName=name)["Table"]
        assert table["MultiRegionConsistency"] == "EVENTUAL"
        put(clients, PRIMARY, name, "one")
        assert get(clients, SECONDARY, name, "one")["by"] == {"S": PRIMARY}
        clients("dynamodb", SECONDARY).delete_item(TableName=name, Key={"id": {"S": "one"}})
        assert get(clients, PRIMARY, name, "one") is None

    def test_replicas_come_and_go_with_updates(self, clients, name):
        made = StackSet(clients, TemplateBody=body(name, strong=False)).create(PRIMARY)
        put(clients, PRIMARY, name, "one")
        fewer = body(name, strong=False, regions=(PRIMARY,))
        assert made.run("update_stack_set", TemplateBody=fewer)["Status"] == "SUCCEEDED"
        assert name not in clients("dynamodb", SECONDARY).list_tables()["TableNames"]
        again = body(name, strong=False)
        assert made.run("update_stack_set", TemplateBody=again)["Status"] == "SUCCEEDED"
        assert get(clients, SECONDARY, name, "one")
