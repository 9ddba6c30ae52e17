"""Of a folder that handlers share, what counts is what the handler may run."""

import textwrap

import pytest

from tap_templates.iam.code.calls import find_calls

HEAD = "import boto3\n"
SHARED = """
import boto3
client = boto3.client("sqs")
def send():
    client.send_message(QueueUrl="send")
def purge():
    client.purge_queue(QueueUrl="purge")
def both():
    send()
    purge()
class Queue:
    def __init__(self, url):
        client.get_queue_url(QueueName=url)
    @property
    def depth(self):
        return client.get_queue_attributes(QueueUrl="depth")
    def put(self):
        client.send_message_batch(QueueUrl="put")
    def take(self):
        client.receive_message(QueueUrl="take")
    @staticmethod
    def named(url):
        return Queue(url)
"""
SPECIAL = """
from shared.queues import Queue, client
class Special(Queue):
    def put(self):
        client.delete_message(QueueUrl="special")
"""


def reached(body: str, shared: str = SHARED) -> set[str]:
    """List the operations in the shared folder that count for a handler."""
    sources = {
        "own/app.py": HEAD + textwrap.dedent(body),
        "shared/queues.py": shared,
        "shared/special.py": SPECIAL,
    }
    found = find_calls(sources, "own")
    assert found.untraced == ()
    return {call.operation for call in found.calls if call.file.startswith("shared/")}


ALL = reached("import shared.queues\nglobals()")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", set()),
        ("import shared.queues", set()),
        ("from shared import queues\nqueues.send()", {"send_message"}),
        ("from shared.queues import send as tell\ntell()", {"send_message"}),
        ("from shared.queues import both\nboth()", {"send_message", "purge_queue"}),
        ("import shared.queues as q\nhandlers = {'a': q.purge}", {"purge_queue"}),
        ("from shared.queues import Queue\nQueue('q')", {"get_queue_url"}),
        (
            "from shared.queues import Queue\ndef f(): Queue('q').take()",
            {"get_queue_url", "receive_message"},
        ),
        (
            "from shared.queues import Queue\nQueue.named('q').depth",
            {"get_queue_url", "get_queue_attributes"},
        ),
        (
            "from shared.queues import Queue\nlater = Queue('q').put",
            {"get_queue_url", "send_message_batch"},
        ),
        (
            "from shared.special import Special\nSpecial('q').take()",
            {"get_queue_url", "receive_message"},
        ),
        (
            "from shared.queues import Queue\ngetattr(Queue('q'), 'take')()",
            {"get_queue_url", "receive_message"},
        ),
    ],
)
def test_what_is_named_counts(body, expected):
    assert reached(body) == expected


@pytest.mark.parametrize(
    ("body", "least"),
    [
        # Something unknown may be any of our objects.
        (
            "import shared.special\ndef f(it):\n    it.put()",
            {"send_message_batch", "delete_message"},
        ),
        # Code that is not ours may call what it gets hold of.
        (
            "import atexit\nfrom shared.queues import Queue\natexit.register(Queue('q'))",
            {"receive_message", "send_message_batch"},
        ),
        (
            "import types, shared.queues as q\nb = types.SimpleNamespace()\nb.it = [q.Queue('q')]",
            {"receive_message", "send_message_batch"},
        ),
        # A name that is put together at run time may be any.
        (
            "from shared.queues import Queue\ngetattr(Queue('q'), input())()",
            {"receive_message", "send_message_batch"},
        ),
        ("from shared import queues\ngetattr(queues, input())()", ALL),
        ("import operator\nimport shared.queues\noperator.methodcaller(input())", ALL),
        ("import shared.queues\nvars(shared.queues)", ALL),
    ],
)
def test_what_may_be_called_counts_too(body, least):
    assert least <= reached(body)


@pytest.mark.parametrize(
    ("definition", "counts"),
    [
        ("def f():\n    client.send_message(QueueUrl='q')", False),
        ("@cache\ndef f():\n    client.send_message(QueueUrl='q')", False),
        ("@registry.add\ndef f():\n    client.send_message(QueueUrl='q')", True),
        ("def __getattr__(name):\n    client.send_message(QueueUrl='q')", True),
        ("client.send_message(QueueUrl='q')", True),
        ("class A:\n    client.send_message(QueueUrl='q')", True),
        ("class A:\n    def f(self):\n        client.send_message(QueueUrl='q')", False),
        ("class A(dict):\n    def f(self):\n        client.send_message(QueueUrl='q')", False),
        ("class A(json.JSONEncoder):\n def f(self):\n  client.send_message(QueueUrl='q')", True),
        ("class B: ...\nclass A(B):\n def f(self):\n  client.send_message(QueueUrl='q')", False),
    ],
)
def test_what_a_module_does_when_it_is_imported_counts(definition, counts):
    head = "import json\nimport boto3\nfrom functools import cache\nclient = boto3.client('sqs')\n"
    found = reached("import shared.queues", head + definition)
    assert found == ({"send_message"} if counts else set())


def test_all_of_the_own_folder_counts_and_nothing_that_is_not_imported():
    sources = {
        "own/app.py": HEAD + "boto3.client('sns').publish(TopicArn='t')",
        "own/idle.py": HEAD + "def f():\n    boto3.client('sqs').send_message(QueueUrl='q')",
        "shared/idle.py": HEAD + "import subprocess\nboto3.client('sqs').purge_queue(QueueUrl='q')",
    }
    found = find_calls(sources, "own")
    assert {call.operation for call in found.calls} == {"publish", "send_message"}
    assert found.untraced == ()
    assert len(find_calls(sources).calls) == 3


def test_what_no_handler_runs_teaches_nothing():
    shared = """
class Table:
    def __init__(self, client, name):
        self.client, self.name = client, name
    def put(self):
        self.client.put_item(TableName=self.name)
def of_others(client):
    return Table(client, "other")
"""
    sources = {
        "own/app.py": HEAD
        + "from shared.t import Table\nTable(boto3.client('dynamodb'), 'own').put()",
        "shared/t.py": shared,
    }
    (call,) = find_calls(sources, "own").calls
    assert [value.parts for value in call.arguments["TableName"]] == [("own",)]


def test_lambda_gives_the_entry_plain_data():
    own = "def handler(event, context):\n    event['it'].put_item()\n    return event.get('x')"
    assert find_calls({"own/app.py": own}, "own").untraced == ()
    assert find_calls({"own/app.py": own.replace("handler", "other")}, "own").untraced != ()
    relative = {
        "own/__init__.py": "",
        "own/app.py": "from .more import f\nfrom shared.a import g\nf(g)",
        "own/more.py": "def f(g):\n    return g()",
        "shared/__init__.py": "",
        "shared/a.py": "from . import b\ndef g():\n    b.h()",
        "shared/b.py": HEAD + "def h():\n    boto3.client('sns').publish(TopicArn='t')",
    }
    assert [call.file for call in find_calls(relative, "own").calls] == ["shared/b.py"]
