"""Regions from parameters: the values given to cfn-lint count before the default."""

import pytest

TABLE = """
Parameters: {Peer: {Type: String, Default: us-east-1}}
Resources:
  Table:
    Type: AWS::DynamoDB::GlobalTable
    Properties: {BillingMode: PAY_PER_REQUEST, Replicas: [{Region: !Ref Peer}]}
"""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], []),
        ([{"Peer": "us-west-2"}], ["E9101"]),
        ([{"Peer": "us-wset-2"}], ["E9101", "E9102"]),
        ([{"Peer": "us-east-1"}, {"Peer": "us-west-2"}], []),
    ],
    ids=["default", "another region", "no region", "open"],
)
def test_a_replica_region_from_a_parameter(given, found, lint):
    result = lint(TABLE, parameters=given)

    assert sorted(f.id for f in result if f.id.startswith("E91")) == found
