"""Faults of a path that promotes a database: see `failover_ground`."""

from unit.invariants.failover_ground import WEST, arn, role, task
from unit.invariants.planted import Planted, both, properties, put

_STATES = "Definition.States"

BUDGET = (
    Planted(
        "TAP-OBJ-08",
        "failover",
        lambda template: template,  # the fault is the promise
        says="within 3600 s, but that takes 240 s (detection",
        remedy="promise no database_rto",
    ),
)


def _calls(integration, **given):
    return put("Failover", f"{_STATES}.Fence", task(integration, given, "Settle"))


def _may(name, action, resource="*"):
    """Let a role do one thing more."""

    def edit(template):
        policy = properties(template, name)["Policies"][0]["PolicyDocument"]
        policy["Statement"].append({"Effect": "Allow", "Action": action, "Resource": [resource]})

    return edit


def _another_machine(template):
    """Let the failover start a machine of its own, whose role may change records."""
    resources = template["Resources"]
    resources["Second"] = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": "second",
            "RoleArn": {"Fn::GetAtt": ["SecondRole", "Arn"]},
            "Definition": {
                "StartAt": "Ask",
                "States": {
                    "Ask": {
                        **task("lambda:invoke", {"FunctionName": arn("lambda", "function:x")}, "")
                    },
                    "Lost": {"Type": "Fail"},
                },
            },
        },
    }
    resources["SecondRole"] = role((["route53:ChangeResourceRecordSets"], "*"))
    _calls("states:startExecution", StateMachineArn={"Ref": "Second"})(template)


CONTROL_PLANES = (
    *(
        Planted(
            "TAP-DRP-01", "failover", edit, logical_id=logical_id, says=says, remedy="beforehand"
        )
        for edit, logical_id, says in (
            (
                _calls("aws-sdk:route53:changeResourceRecordSets"),
                "Failover",
                "calls route53:ChangeResourceRecordSets in 'Fence': that asks Route 53's control",
            ),
            (
                _calls("aws-sdk:route53:getHealthCheckStatus"),
                "Failover",
                "calls route53:GetHealthCheckStatus in 'Fence'",
            ),
            (_calls("aws-sdk:s3:putBucketReplication"), "Failover", "the configuration of buckets"),
            (_calls("aws-sdk:iam:attachRolePolicy"), "Failover", "that asks IAM's control plane"),
            (_calls("aws-sdk:cloudformation:updateStack"), "Failover", "that asks CloudFormation"),
            (
                _may("FailoverRole", "route53:UpdateHealthCheck"),
                "FailoverRole",
                "lets Failover use route53:UpdateHealthCheck",
            ),
            (_may("FailoverRole", "*"), "FailoverRole", "lets Failover use *"),
            (
                _may("RecoveryRole", "route53:ChangeResourceRecordSets"),
                "RecoveryRole",
                "lets Recovery use route53:ChangeResourceRecordSets",
            ),
            (
                _may("RecoveryRole", "s3:PutReplicationConfiguration"),
                "RecoveryRole",
                "lets Recovery use s3:PutReplicationConfiguration",
            ),
            (_may("RecoveryRole", "s3:P*"), "RecoveryRole", "lets Recovery use s3:P*"),
            (_may("RecoveryRole", "s3:CreateBucket"), "RecoveryRole", "use s3:CreateBucket"),
            (_may("RecoveryRole", "iam:CreateRole"), "RecoveryRole", "use iam:CreateRole"),
            (
                _may("RecoveryRole", "cloudformation:UpdateStackSet"),
                "RecoveryRole",
                "use cloudformation:UpdateStackSet",
            ),
            (
                _may("FailbackRole", "cloudfront:UpdateDistribution"),
                "FailbackRole",
                "lets Failback use cloudfront:UpdateDistribution",
            ),
            (
                _may("ProberRole", "route53:GetHealthCheckStatus"),
                "ProberRole",
                "lets Prober use route53:GetHealthCheckStatus",
            ),
            (_another_machine, "SecondRole", "lets Second use route53:ChangeResourceRecordSets"),
        )
    ),
)

OTHER_REGIONS = (
    *(
        Planted("TAP-DRP-02", "failover", edit, logical_id=logical_id, says=says, remedy=remedy)
        for edit, logical_id, says, remedy in (
            (
                _calls("lambda:invoke", FunctionName=arn("lambda", "function:recovery", WEST)),
                "Failover",
                "in 'Fence': a failover from us-east-1 has nobody to ask in us-east-2",
                "what this region has",
            ),
            (
                _calls("sqs:sendMessage", QueueUrl="https://sqs.us-east-2.amazonaws.com/1/x"),
                "Failover",
                "names https://sqs.us-east-2.amazonaws.com/1/x",
                "what this region has",
            ),
            (
                _may("FailoverRole", "dynamodb:PutItem", arn("dynamodb", "table/role", WEST)),
                "FailoverRole",
                "lets Failover use dynamodb:PutItem on arn:aws:dynamodb:us-east-2:",
                "on what is in us-east-1 alone",
            ),
            (
                _may("RecoveryRole", "dynamodb:PutItem", arn("dynamodb", "table/role", WEST)),
                "RecoveryRole",
                "lets Recovery use dynamodb:PutItem",
                "in us-east-1 alone",
            ),
            (
                _may("RecoveryRole", "sqs:SendMessage", arn("sqs", "x", "*")),
                "RecoveryRole",
                "has nobody to ask in any region",
                "in us-east-1 alone",
            ),
        )
    ),
)

_TASK = f"{_STATES}.Promote"


def _without(key):
    def edit(template):
        del properties(template, "Failover")["Definition"]["States"]["Promote"][key]

    return edit


HANDLING = (
    *(
        Planted(
            "TAP-DRP-03",
            "failover",
            edit,
            logical_id="Failover",
            says=f"{says} 'Promote'",
            remedy=remedy,
            path="/Properties/Definition/States/Promote",
        )
        for edit, says, remedy in (
            (_without("TimeoutSeconds"), "may wait for three years in", "TimeoutSeconds"),
            (_without("Retry"), "does not retry with back-off", "BackoffRate"),
            (put("Failover", f"{_TASK}.Retry.0.BackoffRate", 1), "with back-off", "BackoffRate"),
            (put("Failover", f"{_TASK}.Retry.0.MaxAttempts", 0), "with back-off", "BackoffRate"),
            (_without("Catch"), "does not catch all that can go wrong in", "States.ALL"),
            (
                put("Failover", f"{_TASK}.Catch.0.ErrorEquals", ["Some.Error"]),
                "does not catch all that can go wrong in",
                "States.ALL",
            ),
        )
    ),
)


def _alarm(template, **more):
    template["Resources"]["Ill"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "primary-ill", "Namespace": "AWS/Route53",
            "MetricName": "HealthCheckStatus", **more,
        },
    }  # fmt: skip


def _rule(source, **pattern):
    def edit(template):
        template["Resources"]["Rule"] = {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": [source], **pattern},
                "Targets": [{"Id": "x", "Arn": {"Ref": "Failover"}}],
            },
        }

    return edit


def _subscribed(template):
    template["Resources"]["Topic"] = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"TopicName": "alarms"},
    }
    template["Resources"]["Told"] = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {
            "TopicArn": arn("sns", "alarms"),
            "Endpoint": {"Fn::GetAtt": ["Prober", "Arn"]},
        },
    }
    _alarm(template, AlarmActions=[arn("sns", "alarms")])


def _composed(template):
    _alarm(template)
    template["Resources"]["Composed"] = {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "Properties": {
            "AlarmName": "composed", "AlarmRule": "ALARM(primary-ill)",
            "AlarmActions": [{"Fn::GetAtt": ["Prober", "Arn"]}],
        },
    }  # fmt: skip


def _of_a_query(template):
    query = {"Id": "m", "MetricStat": {"Metric": {"Namespace": "AWS/Route53"}}}
    _alarm(template, Metrics=[query], AlarmActions=[{"Fn::GetAtt": ["Prober", "Arn"]}])
    del properties(template, "Ill")["Namespace"]


TRIGGERS = (
    *(
        Planted(
            "TAP-DRP-04", "failover", edit, logical_id=logical_id, says=says, remedy="ask the other"
        )
        for edit, logical_id, says in (
            (
                lambda t: _alarm(t, AlarmActions=[{"Fn::Sub": "${Prober.Arn}:live"}]),
                "Ill",
                "follows metrics of Route 53, and starts Failover",
            ),
            (_subscribed, "Ill", "follows metrics of Route 53, and starts Failover"),
            (_composed, "Composed", "follows metrics of Route 53, and starts Failover"),
            (_of_a_query, "Ill", "follows metrics of Route 53, and starts Failover"),
            (
                both(_alarm, _rule("aws.cloudwatch", detail={"alarmName": ["primary-ill"]})),
                "Rule",
                "waits for what Route 53 tells, and starts Failover",
            ),
            (
                both(_alarm, _rule("aws.cloudwatch", detail={"state": {"value": ["ALARM"]}})),
                "Rule",
                "waits for what Route 53 tells",
            ),
            (_rule("aws.route53"), "Rule", "waits for what Route 53 tells"),
        )
    ),
)

PATHS = (*CONTROL_PLANES, *OTHER_REGIONS, *HANDLING, *TRIGGERS)
PLANTED = (*BUDGET, *PATHS)
