"""Planted regressions of recovery; turned round, each is an improvement and silent."""

from copy import deepcopy

import pytest

from tap_templates.diff.model import FlagName
from tap_templates.diff.security.recovery.analyser import judge_objectives, judge_recovery

QUEUE = "arn:aws:sqs:us-east-1:111122223333:dead"


def _table(*regions, **replica):
    given = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}, **replica}
    return {"Replicas": [{"Region": region, **given} for region in regions]}


def _plan(days=35, copies=1):
    copy = {"DestinationBackupVaultArn": "arn:aws:backup:us-west-2:1:backup-vault:v"}
    rule = {"RuleName": "daily", "TargetBackupVault": "v", "Lifecycle": {"DeleteAfterDays": days},
            "CopyActions": [copy] * copies}  # fmt: skip
    return {"BackupPlan": {"BackupPlanName": "p", "BackupPlanRule": [rule]}}


def _alarm(**changes):
    return {"AlarmActions": ["arn:aws:sns:us-east-1:1:t"], "Threshold": 5, "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold", "Period": 60, **changes}  # fmt: skip


def _machine(*, retry=True, catch=True, attempts=3):
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    if retry:
        task["Retry"] = [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": attempts}]
    if catch:
        task["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]
    inner = {"StartAt": "Promote", "States": {"Promote": task}}
    return {"Definition": {"StartAt": "All", "States": {
        "All": {"Type": "Parallel", "Branches": [inner], "End": True}}}}  # fmt: skip


def _target(**target):
    return {"Targets": [{"Id": "t", "Arn": "arn:aws:lambda:us-east-1:1:function:f", **target}]}


def _versioned(status):
    return {"VersioningConfiguration": {"Status": status}}


def _replicating(*names):
    rules = [{"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{name}"}}
             for name in names]  # fmt: skip
    return {"ReplicationConfiguration": {"Role": "r", "Rules": rules}}


def _counting(*children, **config):
    counted = [{"Ref": each} for each in children]
    given = {"Type": "CALCULATED", "ChildHealthChecks": counted, "HealthThreshold": 2, **config}
    return {"HealthCheckConfig": given}


def _check(**config):
    given = {"Type": "HTTPS", "RequestInterval": 10, "FailureThreshold": 3, **config}
    return {"HealthCheckConfig": given}


EAST, WEST = "us-east-1", "us-west-2"
DEAD = {"DeadLetterConfig": {"Arn": QUEUE}}
RETRY = {"RetryPolicy": {"MaximumRetryAttempts": 100}}
REGRESSIONS = [
    # type, better, weaker, a piece of what is said
    ("AWS::DynamoDB::GlobalTable", _table(EAST, WEST), _table(EAST),
     "replica in us-west-2: there → dropped"),
    ("AWS::DynamoDB::GlobalTable", {**_table(EAST, WEST), "MultiRegionConsistency": "STRONG"},
     {**_table(EAST, WEST), "MultiRegionConsistency": "EVENTUAL"}, "strong consistency"),
    ("AWS::DynamoDB::GlobalTable", _table(EAST), _table(EAST, PointInTimeRecoverySpecification={}),
     "point-in-time recovery in us-east-1: on → off"),
    ("AWS::DynamoDB::Table",
     {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
     {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True,
                                           "RecoveryPeriodInDays": 7}},
     "point-in-time recovery window: 35 days → 7 days"),
    ("AWS::DynamoDB::Table", {"DeletionProtectionEnabled": True}, {},
     "deletion protection: on → off"),
    ("AWS::S3::Bucket", _versioned("Enabled"), _versioned("Suspended"), "versioning: on → off"),
    ("AWS::S3::Bucket", _versioned("Enabled"), {}, "versioning: on → off"),
    ("AWS::S3::Bucket", _replicating("a", "b"), _replicating("a"),
     "replication to arn:aws:s3:::b: there → dropped"),
    ("AWS::RDS::DBInstance", {"BackupRetentionPeriod": 14}, {"BackupRetentionPeriod": 7},
     "backup retention: 14 days → 7 days"),
    ("AWS::RDS::DBCluster", {"DeletionProtection": True}, {"DeletionProtection": False},
     "deletion protection: on → off"),
    ("AWS::RDS::DBInstance", {"MultiAZ": True}, {"MultiAZ": False}, "Multi-AZ: on → off"),
    ("AWS::Backup::BackupPlan", _plan(), _plan(days=7), "daily: 35 days → 7 days"),
    ("AWS::Backup::BackupPlan", _plan(), _plan(copies=0), "copy of rule daily"),
    ("AWS::Route53::HealthCheck", _check(), _check(RequestInterval=30),
     "health check interval: 10 seconds → 30 seconds"),
    ("AWS::Route53::HealthCheck", _check(), _check(FailureThreshold=5), "threshold: 3 → 5"),
    ("AWS::Route53::HealthCheck", _counting("Api", "Latch"), _counting("Api", HealthThreshold=1),
     "counted health check ${Latch}: there → dropped"),
    ("AWS::Route53::HealthCheck", _counting("Api", "Latch"),
     _counting("Api", "Latch", HealthThreshold=1), "checks that must be well: 2 → 1"),
    ("AWS::Route53::HealthCheck", _counting("Api", "Latch"),
     _counting("Api", "Latch", HealthThreshold={"Ref": "AWS::NoValue"}), "must be well: 2 → 0"),
    ("AWS::Route53::HealthCheck", _check(Inverted=True), _check(),
     "inversion of the health check, which makes it a latch: there → dropped"),
    ("AWS::Route53::HealthCheck", _check(SearchString="latched"), _check(),
     "text that the health check searches for: there → dropped"),
    ("AWS::Route53::RecordSet", {"Name": "a.", "TTL": "30"}, {"Name": "a.", "TTL": "300"},
     "TTL of record a.: 30 seconds → 300 seconds"),
    ("AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": QUEUE}}, {},
     "dead-letter queue: there → dropped"),
    ("AWS::SQS::Queue", {"MessageRetentionPeriod": 1209600}, {},
     "message retention: 1.2096e+06 seconds → 345600 seconds"),
    ("AWS::Lambda::Function", DEAD, {}, "dead-letter queue: there → dropped"),
    ("AWS::Events::Rule", _target(**DEAD), _target(), "dead-letter queue of target t"),
    ("AWS::Events::Rule", _target(**RETRY), _target(RetryPolicy={"MaximumRetryAttempts": 0}),
     "retry attempts of target t: 100 → 0"),
    ("AWS::Scheduler::Schedule", {"Target": {}},
     {"Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 60}}}, "86400 seconds → 60 seconds"),
    ("AWS::Lambda::EventInvokeConfig",
     {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}, {},
     "on-failure destination: there → dropped"),
    ("AWS::Lambda::EventInvokeConfig", {}, {"MaximumRetryAttempts": 0}, "retry attempts: 2 → 0"),
    ("AWS::Events::Archive", {}, {"RetentionDays": 30}, "archive retention: forever → 30 days"),
    ("AWS::Logs::LogGroup", {"RetentionInDays": 365}, {"RetentionInDays": 30},
     "log retention: 365 days → 30 days"),
    ("AWS::CloudWatch::Alarm", _alarm(), _alarm(AlarmActions=[]), "alarm action"),
    ("AWS::CloudWatch::Alarm", _alarm(), _alarm(Threshold=50), "alarm threshold: 5 → 50"),
    ("AWS::CloudWatch::Alarm", _alarm(ComparisonOperator="LessThanThreshold"),
     _alarm(ComparisonOperator="LessThanThreshold", Threshold=1), "alarm threshold: 5 → 1"),
    ("AWS::CloudWatch::Alarm", _alarm(), _alarm(EvaluationPeriods=5), "evaluation periods: 1 → 5"),
    ("AWS::CloudWatch::Alarm", _alarm(), _alarm(Period=300),
     "alarm period: 60 seconds → 300 seconds"),
    ("AWS::CloudWatch::Alarm", _alarm(TreatMissingData="breaching"), _alarm(), "missing data"),
    ("AWS::CloudWatch::Alarm", _alarm(), _alarm(ActionsEnabled=False), "alarm actions: on → off"),
    ("AWS::KMS::Key", {"EnableKeyRotation": True}, {}, "key rotation: on → off"),
    ("AWS::StepFunctions::StateMachine", _machine(), _machine(retry=False),
     "retry attempts of state All/Promote on States.TaskFailed: there → dropped"),
    ("AWS::StepFunctions::StateMachine", _machine(), _machine(attempts=1), "3 → 1"),
    ("AWS::StepFunctions::StateMachine", _machine(), _machine(catch=False),
     "catch of States.ALL in state All/Promote: there → dropped"),
    ("AWS::SecretsManager::Secret", {"ReplicaRegions": [{"Region": WEST}]}, {},
     "replica in us-west-2"),
    ("AWS::ElastiCache::ReplicationGroup", {"AutomaticFailoverEnabled": True}, {},
     "automatic failover: on → off"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "better", "weaker", "said"), REGRESSIONS)
def test_a_regression_is_told_and_an_improvement_is_not(judge, kind, better, weaker, said):
    before, after = ({"X": {"Type": kind, "Properties": each}} for each in (better, weaker))
    flags = judge(judge_recovery, before, after)
    assert {each.name for each in flags} == {FlagName.RECOVERY_REGRESSION}
    assert any(said in each.because for each in flags), flags
    assert all(each.certain for each in flags)
    assert judge(judge_recovery, after, before) == []


@pytest.mark.parametrize(("kind", "better"), [each[:2] for each in REGRESSIONS])
def test_other_changes_are_silent(judge, kind, better):
    other = {**deepcopy(better), "Tags": [{"Key": "k", "Value": "v"}], "Description": "other"}
    before, after = ({"X": {"Type": kind, "Properties": each}} for each in (better, other))
    assert judge(judge_recovery, before, after) == []


NEEDED = ("AWS::CloudWatch::Alarm", "AWS::Route53::HealthCheck", "AWS::Backup::BackupPlan",
          "AWS::RDS::DBInstance")  # fmt: skip


@pytest.mark.parametrize("kind", NEEDED)
def test_what_recovery_needs_is_missed_when_it_is_removed(judge, kind):
    resource = {"Type": kind, "Properties": {"BackupRetentionPeriod": 1}}
    (flag,) = judge(judge_recovery, {"X": resource}, {})
    assert flag.because.endswith("X: there → removed")
    assert judge(judge_recovery, {}, {"X": resource}) == []
    assert judge(judge_recovery, {"X": resource}, {"Y": resource}) == []


def test_a_renamed_alarm_is_compared_with_what_it_was(judge):
    old = {"X": {"Type": "AWS::CloudWatch::Alarm", "Properties": _alarm(AlarmName="a")}}
    new = {"Y": {"Type": "AWS::CloudWatch::Alarm",
                 "Properties": _alarm(AlarmName="a", Threshold=9)}}  # fmt: skip
    (flag,) = judge(judge_recovery, old, new)
    assert "5 → 9" in flag.because


def test_a_retry_of_everything_does_as_well(judge):
    wide = _machine(catch=False)
    task = wide["Definition"]["States"]["All"]["Branches"][0]["States"]["Promote"]
    task["Retry"] = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]
    before, after = (
        {"X": {"Type": "AWS::StepFunctions::StateMachine", "Properties": each}}
        for each in (_machine(catch=False), wide)
    )
    assert judge(judge_recovery, before, after) == []


def test_what_hangs_on_a_parameter_is_uncertain(judge):
    parameters = {"Days": {"Type": "Number"}}

    def group(days):
        return {"X": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}}

    (flag,) = judge(judge_recovery, group(30), group({"Ref": "Days"}), parameters=parameters)
    assert not flag.certain
    assert "30 days → a value that is not known here" in flag.because
    either = {"Fn::If": ["Odd", 30, 7]}
    (flag,) = judge(judge_recovery, group(30), group(either), parameters=parameters)
    assert not flag.certain


def test_budgets_of_a_manifest():
    def manifest(rto, rpo):
        return {"objectives": {"rto_seconds": rto, "rpo_seconds": rpo}}

    (flag,) = judge_objectives(manifest(420, 0), manifest(900, 0))
    assert flag.because == "recovery time objective: 420 s → 900 s"
    (flag,) = judge_objectives(manifest(420, 0), manifest(420, 60))
    assert flag.witness == "0 s → 60 s"
    assert list(judge_objectives(manifest(900, 60), manifest(420, 0))) == []
    assert len(list(judge_objectives(manifest(420, 0), {}))) == 2
    assert list(judge_objectives({}, manifest(420, 0))) == []
