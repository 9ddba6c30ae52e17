"""Queues that functions work off, as they are rendered."""

from datetime import timedelta
from typing import Any

import pytest
from troposphere import If, encode_to_dict

from tap_templates.blocks.function import Code, Function, Settings, request_function
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.queue_worker import Batches, feed, work_queue
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError
from tap_templates.model.package import Package

ORDERS, APPLIER, ALARMS = Queue("orders"), Function("applier"), Topic("alarms")
BATCHES = Batches(largest=20, window=timedelta(seconds=5), at_once=4)


def made(receives: int = 5, batches: Batches = BATCHES, **fed: Any) -> dict[str, Any]:
    dead = dead_letters("Dead", Queue("orders-dead"), tell=ALARMS, means="x", admits_queue=ORDERS)
    queue = work_queue(
        "Orders",
        ORDERS,
        dead=dead,
        timeout=timedelta(seconds=10),
        batches=batches,
        retention=timedelta(days=1),
        oldest=timedelta(minutes=5),
        receives=receives,
        tell=ALARMS,
        means="Orders wait.",
    )
    key = service_key("Log", "log", "x", use_by_log_groups(APPLIER.log_group))
    settings = Settings(
        describes="applies",
        environment={},
        timeout=timedelta(seconds=10),
        memory_mib=256,
        concurrency=4,
    )
    code = Code(package=Package(name="applier"), key="k.zip", sha256="0" * 43 + "=")
    worker = request_function("Applier", APPLIER, code, settings, ORDERS.drain(), log_key=key)
    mapping = feed("Orders", worker, ORDERS, batches=batches, **fed)
    rendered: dict[str, Any] = {
        each.title: encode_to_dict(each)["Properties"] for each in (*dead, *queue, *worker, mapping)
    }
    return rendered


def test_a_message_is_hidden_for_six_timeouts_and_a_window():
    queue = made()["OrdersQueue"]
    assert queue["VisibilityTimeout"] == 65
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadQueue", "Arn"]}


def test_the_dead_letters_are_of_that_queue_alone():
    allowed = made()["DeadQueue"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert "queue-orders-$" in allowed["sourceQueueArns"][0]["Fn::Sub"]


def test_the_live_alias_is_fed_and_says_what_failed():
    mapping = made()["OrdersFeed"]
    assert mapping["FunctionName"] == {"Ref": "ApplierAlias"}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (20, 5)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}
    assert mapping["Enabled"] is True


def test_it_may_be_on_in_one_region():
    mapping = made(enabled=If("IsPrimary", True, False))["OrdersFeed"]
    assert mapping["Enabled"] == {"Fn::If": ["IsPrimary", True, False]}


def test_who_works_it_off_may_do_what_lambda_does_for_it_and_no_more():
    statements = made()["ApplierRole"]["Policies"][0]["PolicyDocument"]["Statement"]
    (drain,) = [each for each in statements if each["Sid"] == "DrainQueue"]
    assert [each.removeprefix("sqs:") for each in drain["Action"]] == [
        "DeleteMessage",
        "GetQueueAttributes",
        "ReceiveMessage",
    ]


def test_old_messages_ring():
    ring = made()["OrdersWaitingAlarm"]
    assert ring["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert (ring["Threshold"], ring["Statistic"]) == (300.0, "Maximum")


@pytest.mark.parametrize(
    "wrong",
    [
        {"largest": 0},
        {"largest": 11},
        {"window": timedelta(minutes=6)},
        {"at_once": 1},
        {"at_once": 1001},
    ],
)
def test_batches_that_lambda_does_not_take_are_refused(wrong):
    with pytest.raises(ModelError):
        Batches(**wrong)


def test_a_queue_that_gives_up_early_is_refused():
    with pytest.raises(ModelError, match="throttled"):
        made(receives=2)
