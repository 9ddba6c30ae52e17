"""Conformance of our StackSets with what AWS documents; each test is one behaviour, through boto3.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

import json
from uuid import uuid4

import pytest
from local.stack_sets import (
    BROKEN,
    PRIMARY,
    SECONDARY,
    StackSet,
    parameters,
    previous,
    refusal,
    template,
)

BOTH = (PRIMARY, SECONDARY)


@pytest.fixture
def made(clients):
    return StackSet(clients)


@pytest.fixture
def rolled_out(made):
    return made.create()


class TestStackSets:
    def test_it_is_described_as_it_was_created(self, clients):
        made = StackSet(
            clients,
            Description="queues",
            Parameters=parameters(Seconds="120"),
            Tags=[{"Key": "Owner", "Value": "tests"}],
            ManagedExecution={"Active": True},
        )
        found = made.described
        assert found["TemplateBody"] == template()
        assert found["Parameters"] == parameters(Seconds="120")
        assert (found["StackSetId"], found["Status"]) == (made.id, "ACTIVE")
        assert found["PermissionModel"] == "SELF_MANAGED"
        assert found["Description"] == "queues"
        assert found["ManagedExecution"] == {"Active": True}
        assert found["Tags"] == [{"Key": "Owner", "Value": "tests"}]
        assert found["AdministrationRoleARN"].endswith(
            "AWSCloudFormationStackSetAdministrationRole"
        )
        assert found["StackSetARN"].endswith(f":stackset/{made.id}")

    def test_it_can_be_named_by_id(self, made, clients):
        found = clients("cloudformation").describe_stack_set(StackSetName=made.id)
        assert found["StackSet"]["StackSetName"] == made.name

    def test_a_request_token_makes_creation_idempotent(self, clients):
        request = {"TemplateBody": template(), "ClientRequestToken": "once"}
        made = StackSet(clients, **request)
        assert made.create_stack_set(**request)["StackSetId"] == made.id

    def test_a_name_is_taken_once(self, made):
        found = refusal(made.create_stack_set, TemplateBody=template())
        assert found == "NameAlreadyExistsException"

    def test_a_name_is_free_again_after_deletion(self, made):
        made.delete_stack_set()
        again = made.create_stack_set(TemplateBody=template())["StackSetId"]
        assert again != made.id

    def test_what_is_not_there_is_not_found(self, clients):
        client = clients("cloudformation")
        found = refusal(client.describe_stack_set, StackSetName="nothing")
        assert found == "StackSetNotFoundException"

    def test_each_region_has_its_own(self, made, clients):
        elsewhere = clients("cloudformation", SECONDARY)
        found = refusal(elsewhere.describe_stack_set, StackSetName=made.name)
        assert found == "StackSetNotFoundException"

    def test_one_with_instances_is_not_deleted(self, rolled_out):
        assert refusal(rolled_out.delete_stack_set) == "StackSetNotEmptyException"

    def test_a_deleted_one_is_listed_as_deleted(self, made, clients):
        made.delete_stack_set()
        client = clients("cloudformation")
        pages = client.get_paginator("list_stack_sets").paginate(Status="DELETED")
        assert made.name in {each["StackSetName"] for page in pages for each in page["Summaries"]}
        pages = client.get_paginator("list_stack_sets").paginate(Status="ACTIVE")
        assert made.id not in {each["StackSetId"] for page in pages for each in page["Summaries"]}

    def test_deleting_what_is_not_there_succeeds(self, clients):
        clients("cloudformation").delete_stack_set(StackSetName="nothing")

    def test_lists_come_in_pages(self, clients):
        names = {StackSet(clients).name for _ in range(3)}
        found, request = set(), {"Status": "ACTIVE", "MaxResults": 1}
        while True:
            page = clients("cloudformation").list_stack_sets(**request)
            assert len(page["Summaries"]) == 1
            found.add(page["Summaries"][0]["StackSetName"])
            if "NextToken" not in page:
                break
            request["NextToken"] = page["NextToken"]
        assert names <= found

    @pytest.mark.parametrize(
        "request_",
        [
            {},
            {"TemplateBody": "{"},
            {"TemplateBody": json.dumps({"Resources": {"X": {"Type": "AWS::Bogus::Thing"}}})},
            {"TemplateBody": template(), "Parameters": parameters(Unknown="1")},
            {"TemplateBody": template(), "TemplateURL": "https://both.s3.amazonaws.com/key"},
            {"TemplateBody": " " * 51_201},
            {"TemplateURL": "https://nothing.s3.amazonaws.com/key"},
            {"TemplateBody": template(), "PermissionModel": "SERVICE_MANAGED"},
        ],
        ids=["none", "broken", "type", "parameter", "both", "large", "missing", "managed"],
    )
    def test_a_bad_template_is_refused_at_once(self, clients, request_):
        client = clients("cloudformation")
        name = f"set-{uuid4().hex[:8]}"
        found = refusal(client.create_stack_set, StackSetName=name, **request_)
        assert found == "ValidationError"

    def test_iam_needs_a_capability(self, clients):
        role = {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "named", "AssumeRolePolicyDocument": {"Statement": []}},
        }
        body = json.dumps({"Resources": {"Role": role}})
        call = clients("cloudformation").create_stack_set
        found = refusal(call, StackSetName="capable", TemplateBody=body)
        assert found == "InsufficientCapabilitiesException"

    @pytest.mark.parametrize("host", ["{endpoint}/{bucket}", "https://{bucket}.s3.amazonaws.com"])
    def test_a_template_from_s3_may_be_large(self, clients, engine, host):
        bucket = f"templates-{uuid4().hex[:8]}"
        s3 = clients("s3")
        s3.create_bucket(Bucket=bucket)
        body = template() + " " * 60_000
        s3.put_object(Bucket=bucket, Key="a/b.json", Body=body.encode())
        url = host.format(endpoint=engine.endpoint_url, bucket=bucket) + "/a/b.json"
        made = StackSet(clients, TemplateURL=url).create(PRIMARY)
        assert made.described["TemplateBody"] == body
        assert made.retention(PRIMARY) == "60"


class TestInstances:
    def test_each_is_a_stack_of_its_region(self, rolled_out):
        for region in BOTH:
            stack = rolled_out.stack(region)
            assert stack["StackName"].startswith(f"StackSet-{rolled_out.name}-")
            assert f":{region}:" in stack["StackId"]
            assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert rolled_out.status() == [("CURRENT", "SUCCEEDED")] * 2

    def test_tags_reach_the_stacks(self, clients):
        tags = [{"Key": "Owner", "Value": "tests"}]
        assert StackSet(clients, Tags=tags).create(PRIMARY).stack()["Tags"] == tags

    def test_they_are_found_by_region_account_and_status(self, rolled_out):
        listed = rolled_out.list_stack_instances()["Summaries"]
        assert {each["Region"] for each in listed} == set(BOTH)
        assert all("ParameterOverrides" not in each for each in listed)
        one = rolled_out.list_stack_instances(StackInstanceRegion=SECONDARY)["Summaries"]
        assert [each["Region"] for each in one] == [SECONDARY]
        none = rolled_out.list_stack_instances(StackInstanceAccount="210987654321")["Summaries"]
        assert none == []
        for status, count in (("SUCCEEDED", 2), ("FAILED", 0)):
            filters = [{"Name": "DETAILED_STATUS", "Values": status}]
            assert len(rolled_out.list_stack_instances(Filters=filters)["Summaries"]) == count

    def test_one_that_is_not_there_is_not_found(self, made):
        assert refusal(made.instance) == "StackInstanceNotFoundException"

    def test_only_existing_ones_are_updated(self, made):
        call = made.update_stack_instances
        assert refusal(call, **made.targets(BOTH)) == "StackInstanceNotFoundException"

    def test_targets_must_be_named(self, made):
        assert refusal(made.create_stack_instances, Accounts=[], Regions=[]) == "ValidationError"

    def test_deleting_takes_the_stacks_away(self, rolled_out, clients):
        stack = rolled_out.stack()
        assert rolled_out.delete()["Status"] == "SUCCEEDED"
        assert rolled_out.list_stack_instances()["Summaries"] == []
        found = clients("cloudformation").describe_stacks(StackName=stack["StackId"])["Stacks"][0]
        assert found["StackStatus"] == "DELETE_COMPLETE"
        queues = clients("sqs")
        missing = refusal(queues.get_queue_attributes, QueueUrl=stack["Outputs"][0]["OutputValue"])
        assert missing.endswith("NonExistentQueue") or missing == "QueueDoesNotExist"

    def test_retaining_lets_the_stacks_go_on(self, rolled_out, clients):
        stack = rolled_out.stack()
        operation = rolled_out.delete(retain=True)
        assert operation["RetainStacks"] is True
        found = clients("cloudformation").describe_stacks(StackName=stack["StackId"])["Stacks"][0]
        assert found["StackStatus"] == "CREATE_COMPLETE"
        rolled_out.delete_stack_set()

    def test_deleting_some_leaves_the_others(self, rolled_out):
        rolled_out.delete(SECONDARY)
        assert rolled_out.described["Regions"] == [PRIMARY]

    def test_creating_again_brings_up_to_date(self, rolled_out):
        operation = rolled_out.run(
            "create_stack_instances", *BOTH, ParameterOverrides=parameters(Seconds="90")
        )
        assert operation["Status"] == "SUCCEEDED"
        assert rolled_out.retention(*BOTH) == ["90", "90"]


class TestOverrides:
    def test_they_hold_in_their_region_alone(self, rolled_out):
        change = {"ParameterOverrides": parameters(Seconds="300")}
        rolled_out.run("update_stack_instances", SECONDARY, **change)
        assert rolled_out.retention(*BOTH) == ["60", "300"]
        assert rolled_out.instance(SECONDARY)["ParameterOverrides"] == parameters(Seconds="300")
        assert rolled_out.instance(PRIMARY)["ParameterOverrides"] == []

    def test_they_outlive_an_update_of_the_stack_set(self, made):
        made.create(PRIMARY, ParameterOverrides=parameters(Seconds="300"))
        made.run(
            "update_stack_set",
            TemplateBody=template(VisibilityTimeout=7),
            Parameters=parameters(Seconds="120"),
        )
        assert made.retention(PRIMARY) == "300"
        assert made.queue()["VisibilityTimeout"] == "7"

    def test_a_list_that_is_given_is_complete(self, made):
        made.create(PRIMARY, ParameterOverrides=parameters(Seconds="300", Delay="5"))
        made.run("update_stack_instances", PRIMARY, ParameterOverrides=parameters(Delay="6"))
        assert (made.retention(PRIMARY), made.queue()["DelaySeconds"]) == ("60", "6")

    def test_an_empty_list_resets_all(self, made):
        made.create(PRIMARY, ParameterOverrides=parameters(Seconds="300"))
        made.run("update_stack_instances", PRIMARY, ParameterOverrides=[])
        assert made.retention(PRIMARY) == "60"

    def test_a_previous_value_stays(self, made):
        made.create(PRIMARY, ParameterOverrides=parameters(Seconds="300", Delay="5"))
        made.run("update_stack_instances", PRIMARY, ParameterOverrides=previous("Seconds"))
        assert (made.retention(PRIMARY), made.queue()["DelaySeconds"]) == ("300", "0")

    def test_no_list_changes_nothing(self, made):
        made.create(PRIMARY, ParameterOverrides=parameters(Seconds="300"))
        made.run("update_stack_instances", PRIMARY)
        assert made.retention(PRIMARY) == "300"

    def test_only_declared_parameters_are_overridden(self, rolled_out):
        found = refusal(
            rolled_out.update_stack_instances,
            **rolled_out.targets(BOTH),
            ParameterOverrides=parameters(Unknown="1"),
        )
        assert found == "ValidationError"


class TestUpdates:
    def test_all_instances_follow(self, rolled_out):
        rolled_out.run("update_stack_set", TemplateBody=template(VisibilityTimeout=7))
        assert [rolled_out.queue(region)["VisibilityTimeout"] for region in BOTH] == ["7", "7"]
        assert rolled_out.status() == [("CURRENT", "SUCCEEDED")] * 2

    def test_untargeted_instances_are_outdated(self, rolled_out):
        body = template(VisibilityTimeout=7)
        rolled_out.run("update_stack_set", SECONDARY, TemplateBody=body)
        assert [each[0] for each in rolled_out.status()] == ["OUTDATED", "CURRENT"]
        assert rolled_out.queue(PRIMARY)["VisibilityTimeout"] == "30"
        assert rolled_out.described["TemplateBody"] == body

    def test_without_a_change_the_others_stay_current(self, rolled_out):
        rolled_out.run("update_stack_set", SECONDARY, UsePreviousTemplate=True)
        assert [each[0] for each in rolled_out.status()] == ["CURRENT", "CURRENT"]

    def test_previous_values_of_parameters(self, clients):
        made = StackSet(clients, Parameters=parameters(Seconds="120", Delay="5")).create(PRIMARY)
        made.run("update_stack_set", UsePreviousTemplate=True, Parameters=previous("Seconds"))
        assert (made.retention(PRIMARY), made.queue()["DelaySeconds"]) == ("120", "0")

    def test_the_stack_set_is_updated_even_if_the_operation_fails(self, rolled_out):
        operation = rolled_out.run("update_stack_set", TemplateBody=BROKEN)
        assert operation["Status"] == "FAILED"
        assert rolled_out.described["TemplateBody"] == BROKEN
        assert [each[0] for each in rolled_out.status()] == ["OUTDATED", "OUTDATED"]
        assert rolled_out.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"

    def test_the_previous_template_brings_it_back(self, rolled_out):
        rolled_out.run("update_stack_set", TemplateBody=BROKEN)
        operation = rolled_out.run("update_stack_set", TemplateBody=template())
        assert operation["Status"] == "SUCCEEDED"
        assert rolled_out.status() == [("CURRENT", "SUCCEEDED")] * 2

    def test_a_template_is_needed(self, rolled_out):
        assert refusal(rolled_out.update_stack_set) == "ValidationError"

    def test_targets_must_exist(self, made):
        made.create(PRIMARY)
        found = refusal(
            made.update_stack_set, UsePreviousTemplate=True, **made.targets([SECONDARY])
        )
        assert found == "StackInstanceNotFoundException"


class TestOperations:
    def test_they_run_in_the_background(self, made, control):
        control("hold", region=PRIMARY)
        begun = made.begin("create_stack_instances", *BOTH)
        found = made.describe_stack_set_operation(OperationId=begun)["StackSetOperation"]
        assert (found["Status"], found["Action"]) == ("RUNNING", "CREATE")
        assert "EndTimestamp" not in found
        control("release", region=PRIMARY)
        assert "EndTimestamp" in made.wait(begun)

    def test_an_id_of_the_caller_is_kept(self, made):
        mine = f"op-{uuid4()}"
        assert made.begin("create_stack_instances", PRIMARY, OperationId=mine) == mine
        assert made.wait(mine)["OperationId"] == mine

    def test_an_id_is_used_once(self, made):
        made.create(PRIMARY, OperationId=f"once-{made.name}")
        found = refusal(
            made.update_stack_instances,
            **made.targets([PRIMARY]),
            OperationId=f"once-{made.name}",
        )
        assert found == "OperationIdAlreadyExistsException"

    def test_one_at_a_time(self, made, control):
        control("hold", region=PRIMARY)
        begun = made.begin("create_stack_instances", PRIMARY)
        request = made.targets([SECONDARY])
        found = refusal(made.create_stack_instances, **request)
        assert found == "OperationInProgressException"
        update = refusal(made.update_stack_set, TemplateBody=template())
        assert update == "OperationInProgressException"
        assert refusal(made.delete_stack_set) == "OperationInProgressException"
        control("release", region=PRIMARY)
        made.wait(begun)

    def test_managed_execution_queues(self, clients, control):
        made = StackSet(clients, ManagedExecution={"Active": True})
        control("hold", region=PRIMARY)
        first = made.begin("create_stack_instances", PRIMARY)
        second = made.begin("create_stack_instances", SECONDARY)
        found = made.describe_stack_set_operation(OperationId=second)["StackSetOperation"]
        assert found["Status"] == "QUEUED"
        control("release", region=PRIMARY)
        ends = [made.wait(each) for each in (first, second)]
        assert [each["Status"] for each in ends] == ["SUCCEEDED", "SUCCEEDED"]

    def test_an_unknown_one_is_not_found(self, made):
        for call in (
            made.describe_stack_set_operation,
            made.list_stack_set_operation_results,
            made.stop_stack_set_operation,
        ):
            assert refusal(call, OperationId="nothing") == "OperationNotFoundException"

    def test_they_are_listed_newest_first(self, made):
        made.create(PRIMARY)
        made.run("update_stack_set", UsePreviousTemplate=True)
        made.delete(PRIMARY)
        listed = made.list_stack_set_operations()["Summaries"]
        assert [each["Action"] for each in listed] == ["DELETE", "UPDATE", "CREATE"]

    def test_regions_go_in_the_order_asked_for(self, made, control):
        order = {"RegionOrder": [SECONDARY, PRIMARY]}
        control("hold", region=SECONDARY)
        begun = made.begin("create_stack_instances", *BOTH, OperationPreferences=order)
        found = made.describe_stack_set_operation(OperationId=begun)["StackSetOperation"]
        assert found["OperationPreferences"] == order
        results = made.results(found)
        assert results[PRIMARY]["Status"] == "PENDING"
        control("release", region=SECONDARY)
        assert made.wait(begun)["Status"] == "SUCCEEDED"

    def test_a_failing_region_stops_the_later_ones(self, made, control):
        control("fail", region=PRIMARY, reason="not today")
        operation = made.run("create_stack_instances", *BOTH)
        assert operation["Status"] == "FAILED"
        assert operation["StatusDetails"] == {"FailedStackInstancesCount": 1}
        results = made.results(operation)
        assert (results[PRIMARY]["Status"], results[PRIMARY]["StatusReason"]) == (
            "FAILED",
            "not today",
        )
        assert results[SECONDARY]["Status"] == "CANCELLED"
        assert made.status() == [("OUTDATED", "FAILED"), ("OUTDATED", "CANCELLED")]
        assert made.instance()["StatusReason"] == "not today"

    def test_a_tolerated_failure_does_not(self, made, control):
        control("fail", region=PRIMARY, reason="not today")
        operation = made.run(
            "create_stack_instances", *BOTH, OperationPreferences={"FailureToleranceCount": 1}
        )
        assert operation["Status"] == "SUCCEEDED"
        results = made.results(operation)
        assert [results[each]["Status"] for each in BOTH] == ["FAILED", "SUCCEEDED"]
        assert [each[0] for each in made.status()] == ["OUTDATED", "CURRENT"]

    def test_a_percentage_of_tolerance_is_rounded_down(self, made, control):
        control("fail", region=PRIMARY, reason="not today")
        operation = made.run(
            "create_stack_instances",
            *BOTH,
            OperationPreferences={"FailureTolerancePercentage": 99},
        )
        assert operation["Status"] == "FAILED"

    def test_count_and_percentage_exclude_each_other(self, made):
        found = refusal(
            made.create_stack_instances,
            **made.targets(BOTH),
            OperationPreferences={"FailureToleranceCount": 1, "FailureTolerancePercentage": 1},
        )
        assert found == "ValidationError"

    def test_parallel_regions_do_not_wait_for_each_other(self, made, control):
        control("hold", region=PRIMARY)
        control("hold", region=SECONDARY)
        begun = made.begin(
            "create_stack_instances",
            *BOTH,
            OperationPreferences={"RegionConcurrencyType": "PARALLEL"},
        )
        control("release", region=SECONDARY)
        seen = set()
        while SECONDARY not in seen:
            results = made.results({"OperationId": begun})
            seen = {region for region in BOTH if results[region]["Status"] == "SUCCEEDED"}
        assert seen == {SECONDARY}
        control("release", region=PRIMARY)
        assert made.wait(begun)["Status"] == "SUCCEEDED"

    def test_a_stop_cancels_what_has_not_begun(self, made, control):
        control("hold", region=PRIMARY)
        begun = made.begin("create_stack_instances", *BOTH)
        made.stop_stack_set_operation(OperationId=begun)
        found = made.describe_stack_set_operation(OperationId=begun)["StackSetOperation"]
        assert found["Status"] == "STOPPING"
        control("release", region=PRIMARY)
        operation = made.wait(begun)
        results = made.results(operation)
        assert operation["Status"] == "STOPPED"
        assert [results[each]["Status"] for each in BOTH] == ["SUCCEEDED", "CANCELLED"]
        assert made.status() == [("CURRENT", "SUCCEEDED"), ("OUTDATED", "CANCELLED")]

    def test_what_has_ended_cannot_be_stopped(self, made):
        begun = made.begin("create_stack_instances", PRIMARY)
        made.wait(begun)
        found = refusal(made.stop_stack_set_operation, OperationId=begun)
        assert found == "InvalidOperationException"

    def test_a_failure_names_the_first_resource_and_its_reason(self, clients):
        made = StackSet(clients, TemplateBody=BROKEN)
        operation = made.run("create_stack_instances", PRIMARY)
        reason = made.results(operation)[PRIMARY]["StatusReason"]
        assert reason.startswith("ResourceLogicalId:Broken, ResourceType:AWS::Events::Endpoint, ")
        assert "ResourceStatusReason:" in reason

    def test_a_new_operation_retries_what_failed(self, clients):
        made = StackSet(clients, TemplateBody=BROKEN)
        made.run("create_stack_instances", PRIMARY)
        stillborn = made.instance()["StackId"]
        assert made.run("update_stack_set", TemplateBody=template())["Status"] == "SUCCEEDED"
        assert made.instance()["StackId"] != stillborn
        assert made.status(PRIMARY) == [("CURRENT", "SUCCEEDED")]

    def test_results_are_filtered(self, made, control):
        control("fail", region=PRIMARY, reason="not today")
        operation = made.run("create_stack_instances", *BOTH)
        found = made.list_stack_set_operation_results(
            OperationId=operation["OperationId"],
            Filters=[{"Name": "OPERATION_RESULT_STATUS", "Values": "CANCELLED"}],
        )["Summaries"]
        assert [each["Region"] for each in found] == [SECONDARY]

    def test_an_instance_that_cannot_be_deleted_is_inoperable(self, rolled_out, control):
        control("fail", region=PRIMARY, reason="not today")
        assert rolled_out.delete(PRIMARY)["Status"] == "FAILED"
        assert rolled_out.instance(PRIMARY)["Status"] == "INOPERABLE"
        operation = rolled_out.run("update_stack_set", TemplateBody=template(VisibilityTimeout=7))
        assert set(rolled_out.results(operation)) == {SECONDARY}
        assert rolled_out.delete(PRIMARY, retain=True)["Status"] == "SUCCEEDED"

    def test_drift_is_found(self, rolled_out, clients):
        operation = rolled_out.run("detect_stack_set_drift")
        assert (operation["Action"], operation["Status"]) == ("DETECT_DRIFT", "SUCCEEDED")
        assert rolled_out.instance()["DriftStatus"] == "IN_SYNC"
        clients("sqs").set_queue_attributes(
            QueueUrl=rolled_out.stack()["Outputs"][0]["OutputValue"],
            Attributes={"MessageRetentionPeriod": "999"},
        )
        rolled_out.run("detect_stack_set_drift")
        found = [rolled_out.instance(region)["DriftStatus"] for region in BOTH]
        assert found == ["DRIFTED", "IN_SYNC"]
        details = rolled_out.described["StackSetDriftDetectionDetails"]
        assert details["DriftStatus"] == "DRIFTED"
        assert details["DriftedStackInstancesCount"] == 1


class TestRoles:
    def test_without_administration_role_nothing_begins(self, clients):
        role = f"arn:aws:iam::{clients.engine.account}:role/nobody"
        made = StackSet(clients, AdministrationRoleARN=role)
        found = refusal(made.create_stack_instances, **made.targets(BOTH))
        assert found == "ValidationError"
        assert made.list_stack_set_operations()["Summaries"] == []

    def test_without_execution_role_the_instance_fails(self, clients):
        made = StackSet(clients, ExecutionRoleName="nobody")
        operation = made.run("create_stack_instances", PRIMARY)
        reason = made.results(operation)[PRIMARY]["StatusReason"]
        assert "should have 'nobody' role with trust relationship to Role" in reason

    def test_the_other_account_is_refused(self, made):
        found = refusal(made.create_stack_instances, Accounts=["210987654321"], Regions=[PRIMARY])
        assert found == "ValidationError"
