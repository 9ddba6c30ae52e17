"""Every change to the engine is asserted at its start, and covered by a test named here."""

import json
import subprocess
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, ROOT, SECONDARY, eventually
from local.stack_sets import refusal

from tap_templates.local import engine as engines
from tap_templates.local import environment

SERVICES = "ministack.services."
COVERED_BY = {
    "apigateway._handle_execute_in_scope": "test_http_apis::TestSignatures",
    "apigateway._verify_rs256_signature": "test_http_apis::TestTokens",
    "apigateway_v1._check_request_validation": "test_rest_apis::test_a_body_that_does_not_fit",
    "apigateway_v1._handle_execute_in_scope": "test_rest_apis::test_what_is_no_signature_for_it",
    "apigateway_v1._match_resource_tree": "test_rest_apis::test_a_changed_api_is_deployed_anew",
    "apigateway_v1.find_domain_scope": "test_names::test_an_unhealthy_api_hands_over",
    "ministack.core.lambda_runtime._worker_class_for": "test_real_databases::test_a_function_is_pl",
    "cloudformation.custom_resource._response_url": "test_real_databases::test_its_migrations",
    "cloudformation.engine._evaluate_conditions": "test_providers::test_conditions_know",
    "cloudformation.helpers._template_body_problem": "test_stack_sets::a_template_from_s3_may_be",
    "cloudformation.stacks._runs_on_worker_thread": "test_providers: all of it would hang",
    "cloudwatch._evaluate_alarm": "test_patches::TestAlarms",
    "dynamodb._update_table": "test_tables",
    "dynamodb._table_description": "test_tables::test_replicas_are_made",
    "dynamodb._replicate_write": "test_tables::test_each_region_streams_each_write_once",
    "dynamodb._delete_table": "test_tables::test_a_replica_is_not_deleted_alone",
    "eventbridge._invoke_target": "test_system::test_an_event_that_cannot_be_delivered",
    "eventbridge._dispatch_to_event_bus": "test_patches::test_a_bus_of_another_region",
    "eventbridge._dispatch_to_lambda": "test_system::test_a_poison_event",
    "eventbridge._put_events": "test_system::test_an_event_is_in_both_tables_once",
    "lambda_svc._build_function_url_event": "test_function_urls::test_a_signed_request",
    "lambda_svc._iter_all_esms": "test_queue_workers::test_a_killed_region_uses_up_no_message",
    "lambda_svc._emit_lambda_metrics": "test_workflows::test_an_invocation_is_counted_once",
    "lambda_svc.handle_function_url_request": "test_function_urls::test_an_unsigned_request",
    "lambda_svc.invoke_async_with_retry": "test_providers::test_an_asynchronous_failure",
    "lambda_svc._execute_function_warm": "test_providers::test_it_runs_and_keeps",
    "rds._switch_global_cluster_writer_locked": "test_real_databases::test_the_writer_moves_when",
    "route53._build_health_check_el": "test_providers::test_health_check_comes_changes_and_goes",
    "route53._build_hosted_zone_el": "test_names::test_a_zone_changes_in_place",
    "route53._parse_health_check_config": "test_names::test_all_of_it_is_read_back",
    "route53.handle_request": "test_names::test_an_unhealthy_api_hands_over",
    "s3._maybe_replicate": "test_copies",
    "stepfunctions._dispatch_aws_sdk_lambda_rest": "test_recovery_calls::test_a_mapping_is",
    "stepfunctions._invoke_resource": "test_recovery_calls::test_an_event_that_the_bus_does_not",
    "stepfunctions._add_event": "test_workflows::test_a_killed_regions_executions",
    "stepfunctions._emit_execution_status_event": "test_workflows::test_failures_ring",
    "scheduler._SCHEDULE_TICK_INTERVAL": "test_providers::test_schedule_puts_its_event_at_once",
}


def test_every_patch_has_a_reason_and_a_test(engine):
    patches = engines.control(engine, "patches")["patches"]
    assert all(each["why"] for each in patches)
    assert {each["place"].removeprefix(SERVICES) for each in patches} == COVERED_BY.keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("dynamodb._replicate_write = lambda *_: None", "_replicate_write has changed to"),
        ("del dynamodb._replicate_write", "_replicate_write is gone"),
        ("originals.VERSION = '1.5.34'", "our patches are for 1.5.34"),
    ],
)
def test_another_engine_is_refused(change, says, tmp_path):
    """Started by path in the engine's environment, with one thing changed before."""
    (tmp_path / "changed.py").write_text(
        "from ministack.services import dynamodb\n"
        "from tap_engine import originals\n"
        f"{change}\n"
        "from tap_engine.__main__ import main\n"
        "main()\n"
    )
    python = environment.ensure(ROOT)
    made = engines._environment(tmp_path, 1, "token")
    ended = subprocess.run(
        [str(python), str(tmp_path / "changed.py")],
        env=made,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1
    assert says in ended.stderr


def test_a_bus_of_another_region_is_a_target_and_the_origin_stays(clients):
    unique, account = uuid4().hex[:8], clients.engine.account
    for region in (PRIMARY, SECONDARY):
        clients("events", region).create_event_bus(Name=unique)
    url = clients("sqs", SECONDARY).create_queue(QueueName=unique)["QueueUrl"]
    targets = {
        PRIMARY: f"arn:aws:events:{SECONDARY}:{account}:event-bus/{unique}",
        SECONDARY: f"arn:aws:sqs:{SECONDARY}:{account}:{unique}",
    }
    role = f"arn:aws:iam::{account}:role/any"
    for region, arn in targets.items():
        events = clients("events", region)
        rule = {"EventBusName": unique}
        events.put_rule(Name="r", EventPattern=json.dumps({"source": ["s"]}), **rule)
        events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn, "RoleArn": role}], **rule)
    entry = {"EventBusName": unique, "Source": "s", "DetailType": "d", "Detail": "{}"}
    clients("events").put_events(Entries=[entry])
    request = {"QueueUrl": url}
    messages = eventually(
        lambda: clients("sqs", SECONDARY).receive_message(**request).get("Messages")
    )
    assert json.loads(messages[0]["Body"])["region"] == PRIMARY


def test_a_killed_region_answers_nothing_and_the_other_goes_on(clients, control):
    control("kill", region=SECONDARY)
    assert refusal(clients("sqs", SECONDARY).list_queues) == "ServiceUnavailable"
    clients("sqs", PRIMARY).list_queues()
    assert control("faults")["dead"] == [SECONDARY]
    control("heal", region=SECONDARY)
    clients("sqs", SECONDARY).list_queues()


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("sqs", "list_queues"),
        ("dynamodb", "list_tables"),
        ("sns", "list_topics"),
        ("ec2", "describe_vpcs"),
        ("rds", "describe_db_clusters"),
        ("s3", "list_buckets"),
        ("iam", "list_roles"),
        ("route53", "list_hosted_zones"),
        ("lambda", "list_functions"),
    ],
)
def test_a_killed_region_says_so_in_the_words_of_the_service(clients, control, service, action):
    control("kill", region=PRIMARY)
    assert refusal(getattr(clients(service), action)) == "ServiceUnavailable"


class TestAlarms:
    @pytest.fixture
    def alarm(self, clients):
        """Make an alarm on a metric of its own; give its state."""
        cloudwatch, unique = clients("cloudwatch"), uuid4().hex[:8]

        def make(**changes):
            cloudwatch.put_metric_alarm(
                AlarmName=unique,
                Namespace=unique,
                MetricName="m",
                Dimensions=[{"Name": "of", "Value": "mine"}],
                Statistic="Maximum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=0,
                ComparisonOperator="GreaterThanThreshold",
                **changes,
            )
            return lambda: cloudwatch.describe_alarms(AlarmNames=[unique])["MetricAlarms"][0][
                "StateValue"
            ]

        def publish(value, of="mine"):
            data = {"MetricName": "m", "Value": value, "Dimensions": [{"Name": "of", "Value": of}]}
            cloudwatch.put_metric_data(Namespace=unique, MetricData=[data])

        make.publish = publish
        return make

    def test_it_rings_for_its_own_dimension_alone(self, alarm):
        state = alarm(TreatMissingData="notBreaching")
        alarm.publish(1, of="another")
        eventually(lambda: state() == "OK")
        alarm.publish(1)
        eventually(lambda: state() == "ALARM")

    def test_without_data_it_waits_to_know(self, alarm):
        state = alarm(TreatMissingData="breaching")
        assert state() == "INSUFFICIENT_DATA"
        alarm.publish(0)
        eventually(lambda: state() == "OK")
