"""Which AWS calls are read off code, and what is refused because it cannot be followed."""

import textwrap

import pytest

from tap_templates.iam.code.calls import find_calls
from tap_templates.iam.code.scopes import module_name
from tap_templates.iam.code.values import Text, Variable

HEAD = "import os\nimport boto3\nfrom typing import Protocol\n"


def calls(*bodies: str) -> list[str]:
    """List the calls in modules pkg/app.py, pkg/more.py: service.operation(texts) each."""
    files = ("pkg/app.py", "pkg/more.py")
    sources = {
        file: HEAD + textwrap.dedent(body) for file, body in zip(files, bodies, strict=False)
    }
    found = find_calls(sources)
    assert found.untraced == ()
    return [f"{call.service}.{call.operation}({_shown(call.arguments)})" for call in found.calls]


def _shown(arguments) -> str:
    return ", ".join(
        f"{name}={'|'.join(sorted(_spelled(value) for value in values if isinstance(value, Text)))}"
        for name, values in sorted(arguments.items())
        if any(isinstance(value, Text) for value in values)
    )


def _spelled(text: Text) -> str:
    return "".join(
        f"${part.name}" if isinstance(part, Variable) else part or "?" for part in text.parts
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("boto3.client('sqs').send_message(QueueUrl='u')", "sqs.send_message(QueueUrl=u)"),
        ("c = boto3.client('sqs')\nc.send_message(QueueUrl='u')", "sqs.send_message(QueueUrl=u)"),
        (
            "c = boto3.client('sqs')\nsend = c.send_message\nsend(QueueUrl='u')",
            "sqs.send_message(QueueUrl=u)",
        ),
        (
            "from boto3 import client\nclient('sns').publish(TopicArn='t')",
            "sns.publish(TopicArn=t)",
        ),
        ("boto3.Session().client('sns').publish(TopicArn='t')", "sns.publish(TopicArn=t)"),
        ("boto3.session.Session().client('sns').publish(TopicArn='t')", "sns.publish(TopicArn=t)"),
        (
            "T = os.environ['T']\nboto3.client('dynamodb').put_item(TableName=T)",
            "dynamodb.put_item(TableName=$T)",
        ),
        (
            "T = os.getenv('T', 'd')\nboto3.client('dynamodb').put_item(TableName=T)",
            "dynamodb.put_item(TableName=$T)",
        ),
        (
            "T = os.environ.get('T')\nboto3.client('dynamodb').put_item(TableName=f'a-{T}')",
            "dynamodb.put_item(TableName=a-$T)",
        ),
        (
            "from os import environ as e\nboto3.client('sqs').send_message(QueueUrl='a' + e['T'])",
            "sqs.send_message(QueueUrl=a$T)",
        ),
        (
            "boto3.resource('dynamodb').Table('t').put_item(Item={})",
            "dynamodb.put_item(TableName=t)",
        ),
        (
            "t = boto3.resource('dynamodb').Table('t')\nwith t.batch_writer() as w:\n    w.f()",
            "dynamodb.batch_write_item(TableName=t)",
        ),
        (
            "boto3.client('dynamodb').get_paginator('query').paginate(TableName='t')",
            "dynamodb.query(TableName=t)",
        ),
        (
            "boto3.client('dynamodb').get_waiter('table_exists').wait(TableName='t')",
            "dynamodb.wait:table_exists(TableName=t)",
        ),
        (
            "boto3.resource('dynamodb').meta.client.get_item(TableName='t')",
            "dynamodb.get_item(TableName=t)",
        ),
        (
            "o = {'TableName': 't'}\nboto3.client('dynamodb').get_item(**o)",
            "dynamodb.get_item(TableName=t)",
        ),
        (
            "getattr(boto3.client('dynamodb'), 'get_item')(TableName='t')",
            "dynamodb.get_item(TableName=t)",
        ),
        (
            """
            from functools import cache
            @cache
            def client():
                return boto3.client("sns")
            def handler(event, context):
                client().publish(TopicArn="t")
            """,
            "sns.publish(TopicArn=t)",
        ),
        (
            """
            _client = None
            def handler(event, context):
                global _client
                if _client is None:
                    _client = boto3.client("sns")
                _client.publish(TopicArn="t")
            """,
            "sns.publish(TopicArn=t)",
        ),
        (
            """
            class Base:
                def __init__(self, client):
                    self.client = client
            class Topic(Base):
                def __init__(self, client, *, arn="t"):
                    super().__init__(client)
                    self._arn = arn
                @property
                def arn(self):
                    return self._arn
                def tell(self):
                    self.client.publish(TopicArn=self.arn)
            Topic(boto3.client("sns")).tell()
            """,
            "sns.publish(TopicArn=t)",
        ),
        (
            """
            from dataclasses import dataclass
            class Sends(Protocol):
                def send_message(self, **kwargs): ...
            @dataclass
            class Outbox:
                client: Sends
                url: str
                def put(self):
                    self.client.send_message(QueueUrl=self.url)
            Outbox(boto3.client("sqs"), url="u").put()
            """,
            "sqs.send_message(QueueUrl=u)",
        ),
        (
            """
            from mypy_boto3_sqs import SQSClient
            def put(client: SQSClient, url: str = "u"):
                client.send_message(QueueUrl=url)
            """,
            "sqs.send_message(QueueUrl=u)",
        ),
        (
            """
            clients = {"a": boto3.client("sqs", region_name="us-east-1")}
            for each in clients.values():
                pass
            clients["a"].send_message(QueueUrl="u")
            """,
            "sqs.send_message(QueueUrl=u)",
        ),
        (
            "a, b = boto3.client('sqs'), 'u'\na.send_message(QueueUrl=b)",
            "sqs.send_message(QueueUrl=u)",
        ),
    ],
)
def test_a_call_is_followed_from_where_the_client_is_made(body, expected):
    assert calls(body) == [expected]


def test_clients_and_names_are_followed_between_modules():
    assert calls(
        """
        from pkg import more
        from .more import Store, TABLE
        Store(boto3.client("dynamodb")).save(TABLE)
        more.Store.of("u")
        """,
        """
        TABLE = "t"
        class Store:
            def __init__(self, client):
                self._client = client
            @classmethod
            def of(cls, table):
                return cls(boto3.client("dynamodb")).save(table)
            def save(self, table):
                self._client.put_item(TableName=table)
        """,
    ) == ["dynamodb.put_item(TableName=t|u)"]


@pytest.mark.parametrize(
    "body",
    [
        "x = {}\nx.get('a').strip()",
        "from aws_lambda_powertools import Tracer\nTracer().put_annotation('a', 'b')",
        "import queue\nqueue.Queue().get()",
        "r = boto3.client('sns').meta.region_name",
        "c = boto3.client('sns')\ntry:\n    pass\nexcept c.exceptions.NotFoundException:\n    pass",
        "from botocore.config import Config\nfrom botocore.exceptions import ClientError",
        "def handler(event, context):\n    return context.get_remaining_time_in_millis()",
        "for i in [1, 2]:\n    print(i)\nelse:\n    x = [n for n in (1, 2)]",
        "match 1:\n    case int() as n:\n        pass",
        "async def f():\n    async for a in g():\n        await a\ndef g():\n    yield 1",
    ],
)
def test_code_that_calls_nothing_is_silent(body):
    assert calls(body) == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("def f(c):\n    c.put_item(TableName='t')", "put_item on something we cannot tell: c"),
        ("def f(c):\n    c.batch_writer()", "batch_writer on something"),
        ("print(boto3.client('sqs'))", "gives an AWS client to print"),
        ("import functools\nfunctools.partial(boto3.client('sqs').send_message)", "gives an AWS"),
        ("x = []\nx.append(boto3.client('sqs'))", "gives an AWS client to x.append"),
        ("unheard_of(boto3.client('sqs'))", "gives an AWS client to unheard_of"),
        ("boto3.client(input())", "a service we cannot tell"),
        ("boto3.client(**input())", "a service we cannot tell"),
        ("boto3.client('s3').generate_presigned_url('get_object')", "signs a URL"),
        ("boto3.client('s3').get_paginator(input())", "for something we cannot tell"),
        ("getattr(boto3.client('s3'), input())()", "a name we cannot tell"),
        ("eval('1')", "code made at run time"),
        ("__import__('boto3')", "code made at run time"),
        ("import importlib", "imports importlib"),
        ("import subprocess", "imports subprocess"),
        ("import aioboto3", "imports aioboto3"),
        ("from botocore.session import Session", "imports botocore.session.Session"),
        (
            "from aws_lambda_powertools.utilities.idempotency import idempotent",
            "imports aws_lambda_powertools.utilities.idempotency",
        ),
        ("from os import *", "imports everything"),
        ("boto3.DEFAULT_SESSION.client('s3').get_object()", "client on something"),
        ("globals()['c'].put_item()", "put_item on something"),
        (
            "import threading\nl = threading.local()\nl.c = boto3.client('sqs')",
            "keeps an AWS client in l.c",
        ),
        ("(lambda c: c.put_item())(1)", "put_item on something"),
        (
            "d = {}\nd['c'] = boto3.client('sqs')\nd['c'].send_message()",
            "send_message on something",
        ),
        (
            """
from dataclasses import dataclass, field
@dataclass
class A:
    c: object = field(default_factory=lambda: boto3.client('sqs'))
    def f(self):
        self.c.send_message()
""",
            "send_message on something",
        ),
        (
            """
import functools
def make():
    return boto3.client('sqs')
functools.partial(make)().send_message()
""",
            "send_message on something",
        ),
        ("if", "cannot be parsed"),
    ],
)
def test_what_cannot_be_followed_is_told(body, complaint):
    found = find_calls({"pkg/app.py": HEAD + body})
    assert complaint in " | ".join(each.what for each in found.untraced)
    assert all(each.file == "pkg/app.py" for each in found.untraced)


@pytest.mark.parametrize(
    "body",
    [
        "names = ['a']\nnames.append('b')\nfor n in names:\n    c.put_item(TableName=n)",
        "o = {'TableName': 'a'}\no['TableName'] = input()\nc.put_item(**o)",
        """
import concurrent.futures as f
def put(t):
    c.put_item(TableName=t)
put('a')
f.ThreadPoolExecutor().submit(put, 'b')
""",
        "t = 'a'\nt += 'b'\nc.put_item(TableName=t)",
        "c.put_item(TableName=str(1))",
    ],
)
def test_a_name_that_may_be_another_one_is_not_taken_for_known(body):
    (call,) = find_calls({"pkg/app.py": f"{HEAD}c = boto3.client('dynamodb')\n{body}"}).calls
    names = call.arguments.get("TableName", frozenset())
    known = all(isinstance(name, Text) and None not in name.parts for name in names)
    assert not names or not known


def test_a_place_is_a_file_and_a_line():
    (call,) = find_calls({"pkg/app.py": HEAD + "\nboto3.client('sns').publish()"}).calls
    assert (call.file, call.line) == ("pkg/app.py", 5)


def test_modules_are_named_as_python_imports_them():
    assert module_name("pkg/app.py") == "pkg.app"
    assert module_name("pkg/__init__.py") == "pkg"
