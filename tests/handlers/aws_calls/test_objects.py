"""Objects are written once, and what is no answer is raised as it is."""

import pytest
from botocore.exceptions import ClientError

from aws_calls.objects import put_once


class Bucket:
    """PutObject of a bucket; fails with `failure`."""

    def __init__(self, failure=None):
        self.objects = {}
        self.failure = failure

    def put_object(self, **request):
        code = self.failure
        assert (request["Bucket"], request["IfNoneMatch"]) == ("audit", "*")
        if request["Key"] in self.objects:
            code = "PreconditionFailed"
        if code:
            raise ClientError({"Error": {"Code": code}}, "PutObject")
        self.objects[request["Key"]] = (request["Body"], request["ContentType"])


def test_the_first_to_write_an_object_is_told_so():
    bucket = Bucket()
    told = [
        put_once(bucket.put_object, bucket="audit", key="k", body=each) for each in (b"1", b"2")
    ]
    assert told == [True, False]
    assert bucket.objects == {"k": (b"1", "application/json")}


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "AccessDenied"])
def test_a_write_of_which_nobody_knows_is_not_taken_for_one(code):
    bucket = Bucket(code)
    with pytest.raises(ClientError) as raised:
        put_once(bucket.put_object, bucket="audit", key="k", body=b"1")
    assert raised.value.response["Error"]["Code"] == code
