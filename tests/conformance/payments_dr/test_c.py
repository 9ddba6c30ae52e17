"""C-01 … C-11: what payments-dr must be, on the templates that ship."""

import json
import re
from dataclasses import replace

import pytest
from conformance.committed import property_finder, view_of

from tap_templates.compiler.invariants import CompiledSystem, check_system, failover_budget
from templates.payments_dr import PAYMENTS_DR

PRIMARY, SECONDARY = "us-east-1", "us-west-2"
ROLES = (("primary", PRIMARY), ("secondary", SECONDARY))
OTHER = {PRIMARY: SECONDARY, SECONDARY: PRIMARY}
ACCOUNT = "111122223333"
ALONE = {
    "DatabaseMode": "IndependentClusters",
    "EngineVersion": "15.12",
    "InstanceClass": "db.t3.medium",
}

each_role = pytest.mark.parametrize(("stack", "region"), ROLES)


def arn(service, region, resource):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def of_type(view, stack, region, kind):
    return [r for r in view.stack(stack, region).resources.values() if r.type == kind]


def granted(role):
    (policy,) = role["Policies"]
    return {
        (action, resource)
        for each in policy["PolicyDocument"]["Statement"]
        for action in each["Action"]
        for resource in each["Resource"]
        if each["Effect"] == "Allow" and action.split(":")[0] not in {"ec2", "logs", "xray"}
    }


@pytest.fixture
def alone(manifest, committed):
    """The system as the seed wanted its database."""
    return view_of(manifest, committed, **ALONE)


# --- C-01 -----------------------------------------------------------------------------------------


def test_c01_two_stacks_of_the_same_code_the_secondary_after_the_primary(manifest, committed):
    stacks = {each["name"]: each for each in manifest["stacks"]}
    assert stacks["primary"]["regions"] == [PRIMARY]
    assert stacks["secondary"]["regions"] == [SECONDARY]
    assert "primary" in stacks["secondary"]["depends_on"]
    ours, theirs = (set(committed[name]["Resources"]) for name in ("primary", "secondary"))
    # What AWS forces to exist once: the global database and the secret it is made with.
    assert ours - theirs == {"MasterSecret", "PaymentsGlobalCluster"}
    assert theirs - ours == {"PaymentsCopyStoppedAlarm"}


def test_c01_what_exists_once_is_made_from_the_secondary(manifest):
    once = {each["name"]: each["regions"] for each in manifest["stacks"]}
    assert once["zone"] == once["table"] == once["dns"] == [SECONDARY]


# --- C-02 -----------------------------------------------------------------------------------------


@each_role
def test_c02_encrypted_postgresql_in_isolated_subnets_with_seven_days_of_backups(
    resource, view, stack, region
):
    cluster = resource(stack, region, "PaymentsCluster")
    assert (cluster["Engine"], cluster["EngineVersion"]) == ("aurora-postgresql", "17.7")
    assert cluster["StorageEncrypted"] is True
    assert cluster["BackupRetentionPeriod"] == 7
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    assert "ManageMasterUserPassword" not in cluster
    group = resource(stack, region, "PaymentsSubnetGroup")
    isolated = {
        each.ref
        for each in of_type(view, stack, region, "AWS::EC2::Subnet")
        if "isolated" in {t["Key"]: t["Value"] for t in each.properties["Tags"]}["Name"]
    }
    assert set(group["SubnetIds"]) == isolated
    instances = of_type(view, stack, region, "AWS::RDS::DBInstance")
    assert len(instances) == 2
    for each in instances:
        assert each.properties["DBInstanceClass"] == "db.r8g.large"
        assert each.properties["PubliclyAccessible"] is False


def test_c02_by_default_it_really_replicates(resource, view):
    primary = view.stack("primary", PRIMARY).resources["PaymentsCluster"]
    joined = resource("primary", PRIMARY, "PaymentsGlobalCluster")
    assert joined["SourceDBClusterIdentifier"] == primary.arn
    secondary = resource("secondary", SECONDARY, "PaymentsCluster")
    assert secondary["GlobalClusterIdentifier"] == joined["GlobalClusterIdentifier"]
    assert secondary["SourceRegion"] == PRIMARY
    assert not {"MasterUsername", "MasterUserPassword", "DatabaseName"} & set(secondary)


def test_c02_the_seeds_database_is_accepted_alone(alone):
    resource = property_finder(alone)
    assert "PaymentsGlobalCluster" not in alone.stack("primary", PRIMARY).resources
    for stack, region in ROLES:
        cluster = resource(stack, region, "PaymentsCluster")
        assert cluster["EngineVersion"] == "15.12"
        assert "GlobalClusterIdentifier" not in cluster
        assert cluster["MasterUsername"].startswith("{{resolve:secretsmanager:")
        for each in of_type(alone, stack, region, "AWS::RDS::DBInstance"):
            assert each.properties["DBInstanceClass"] == "db.t3.medium"


@pytest.mark.parametrize("stack", ["primary", "secondary"])
def test_c02_and_refused_with_the_reason_where_it_would_replicate(committed, stack):
    (rule,) = committed[stack]["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "DatabaseMode"}, "Global"]}
    allowed = {
        each["Assert"]["Fn::Contains"][1]["Ref"]: (
            each["Assert"]["Fn::Contains"][0],
            each["AssertDescription"],
        )
        for each in rule["Assertions"]
    }
    classes, said = allowed["InstanceClass"]
    assert not [each for each in classes if re.match(r"db\.t\d", each)]
    assert "DatabaseMode IndependentClusters, which does not replicate" in said
    versions, _ = allowed["EngineVersion"]
    assert "15.12" not in versions
    assert "17.7" in versions


@each_role
@pytest.mark.parametrize(
    "metric", ["DatabaseConnections", "CPUUtilization", "AuroraGlobalDBRPOLag"]
)
def test_c02_connections_cpu_and_lag_ring(view, stack, region, metric):
    alarms = [
        each.properties
        for each in of_type(view, stack, region, "AWS::CloudWatch::Alarm")
        if each.properties["MetricName"] == metric
    ]
    assert alarms
    for each in alarms:
        assert each["AlarmActions"] == [arn("sns", region, "topic-payments-alarms-dev")]


# --- C-03 -----------------------------------------------------------------------------------------


@each_role
def test_c03_the_function_url_asks_for_a_signature_and_both_permissions(resource, stack, region):
    assert resource(stack, region, "PaymentsUrl")["AuthType"] == "AWS_IAM"
    call = resource(stack, region, "PaymentsUrlCall")
    invoke = resource(stack, region, "PaymentsUrlInvoke")
    assert (call["Action"], call["FunctionUrlAuthType"]) == (
        "lambda:InvokeFunctionUrl",
        "AWS_IAM",
    )
    assert (invoke["Action"], invoke["InvokedViaFunctionUrl"]) == ("lambda:InvokeFunction", True)


@each_role
def test_c03_logs_are_kept_for_seven_days_and_errors_ring(view, stack, region):
    logs = of_type(view, stack, region, "AWS::Logs::LogGroup")
    assert len(logs) >= 4
    assert {each.properties["RetentionInDays"] for each in logs} == {7}
    errors = [
        each.properties
        for each in of_type(view, stack, region, "AWS::CloudWatch::Alarm")
        if (each.properties["Namespace"], each.properties["MetricName"]) == ("AWS/Lambda", "Errors")
    ]
    assert {each["Dimensions"][0]["Value"] for each in errors} == {
        "function-payments-api-dev", "function-payments-schema-dev",
    }  # fmt: skip


@each_role
def test_c03_all_but_health_asks_for_a_signature(view, stack, region):
    routes = of_type(view, stack, region, "AWS::ApiGatewayV2::Route")
    assert {
        each.properties["RouteKey"]: each.properties["AuthorizationType"] for each in routes
    } == {
        "POST /payments": "AWS_IAM",
        "GET /payments/{paymentId}": "AWS_IAM",
        "GET /health": "NONE",
    }


def test_c03_clients_move_by_a_health_check_on_the_primarys_own_host(resource, view):
    check = resource("dns", SECONDARY, "PaymentsHealthCheck")["HealthCheckConfig"]
    api = view.stack("primary", PRIMARY).resources["PaymentsApi"].ref
    assert check["Type"] == "HTTPS"
    assert check["FullyQualifiedDomainName"] == f"{api}.execute-api.{PRIMARY}.amazonaws.com"
    assert (check["ResourcePath"], check["RequestInterval"]) == ("/health", 10)
    assert check["EnableSNI"] is True  # API Gateway answers no TLS without a name
    first = resource("dns", SECONDARY, "PaymentsPrimaryRecord")
    second = resource("dns", SECONDARY, "PaymentsSecondaryRecord")
    assert (first["Failover"], second["Failover"]) == ("PRIMARY", "SECONDARY")
    assert first["HealthCheckId"]
    assert "HealthCheckId" not in second
    assert first["Name"] == second["Name"] == "api.payments.example.com"
    assert int(first["TTL"]) == 10


@pytest.fixture
def compiled(manifest, committed, rendered):
    """The system as the checks see it, with another template for some stacks."""

    def with_templates(**changed):
        stacks = [
            replace(each, template=changed.get(name, each.template))
            for name, each in rendered["payments-dr"].items()
        ]
        return CompiledSystem(
            PAYMENTS_DR, tuple(stacks), view_of(manifest, {**committed, **changed})
        )

    return with_templates


def test_c03_within_five_minutes_by_its_own_records(compiled):
    terms = failover_budget(compiled())
    total = sum(term.seconds for term in terms)
    assert PAYMENTS_DR.objectives.rto.total_seconds() == 300
    assert 30 <= total <= 300
    assert len(terms) >= 3


@pytest.mark.parametrize("beyond", ["the TTL", "the interval and threshold"])
def test_c03_beyond_the_budget_it_does_not_compile(compiled, committed, beyond):
    dns = json.loads(json.dumps(committed["dns"]))
    resources = dns["Resources"]
    if beyond == "the TTL":
        for record in ("PaymentsPrimaryRecord", "PaymentsSecondaryRecord"):
            resources[record]["Properties"]["TTL"] = 600
    else:
        check = resources["PaymentsHealthCheck"]["Properties"]["HealthCheckConfig"]
        check.update(RequestInterval=30, FailureThreshold=10)
    found = [each for each in check_system(compiled(dns=dns)) if "OBJ" in each.code]
    assert [each for each in found if "300 s" in each.what], found
    assert not [each for each in check_system(compiled()) if "OBJ" in each.code]


# --- C-04 … C-07 ----------------------------------------------------------------------------------


def test_c04_sessions_are_in_both_regions_and_recoverable(resource, view):
    table = resource("table", SECONDARY, "SessionsTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [each["Region"] for each in table["Replicas"]] == [PRIMARY, SECONDARY]
    for replica in table["Replicas"]:
        recovery = replica["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    for stack, region in ROLES:
        throttled = [
            each
            for each in of_type(view, stack, region, "AWS::CloudWatch::Alarm")
            if each.properties["MetricName"] == "ThrottledRequests"
        ]
        assert len(throttled) == 2


@each_role
def test_c05_documents_are_versioned_and_copied_to_the_other_region(view, resource, stack, region):
    bucket = resource(stack, region, "DocumentsBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    copies = f"bucket-payments-copies-dev-{OTHER[region]}-{ACCOUNT}"
    (rule,) = bucket["ReplicationConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{copies}"
    role = view.find(bucket["ReplicationConfiguration"]["Role"])
    assert ("s3:ReplicateObject", f"arn:aws:s3:::{copies}/*") in granted(role.resource.properties)
    theirs = resource("recovery", OTHER[region], "CopiesBucket")
    assert theirs["BucketName"] == copies
    assert theirs["VersioningConfiguration"] == {"Status": "Enabled"}


@each_role
def test_c06_a_topic_with_an_email_hears_every_alarm(view, resource, stack, region):
    assert resource(stack, region, "AlarmsTopicEmail")["Protocol"] == "email"
    topic = arn("sns", region, "topic-payments-alarms-dev")
    alarms = of_type(view, stack, region, "AWS::CloudWatch::Alarm")
    assert len(alarms) >= 10
    assert all(each.properties["AlarmActions"] == [topic] for each in alarms)


def test_c07_the_cluster_is_backed_up_daily_and_copied_for_seven_days(resource):
    plan = resource("primary", PRIMARY, "PaymentsBackupPlan")["BackupPlan"]
    (rule,) = plan["BackupPlanRule"]
    assert rule["ScheduleExpression"] == "cron(0 5 * * ? *)"
    assert rule["Lifecycle"] == {"DeleteAfterDays": 7}
    (copy,) = rule["CopyActions"]
    assert copy["DestinationBackupVaultArn"] == arn(
        "backup", SECONDARY, "backup-vault:vault-payments-dev"
    )
    assert copy["Lifecycle"] == {"DeleteAfterDays": 7}
    chosen = resource("primary", PRIMARY, "PaymentsBackupSelection")["BackupSelection"]
    assert chosen["Resources"] == [arn("rds", PRIMARY, f"cluster:cluster-payments-dev-{PRIMARY}")]


def test_c07_the_secondary_is_backed_up_if_wanted(manifest, committed, view):
    plan = "PaymentsBackupPlan"
    assert plan not in view.stack("secondary", SECONDARY).resources
    wanted = view_of(manifest, committed, BackUpSecondary="yes")
    assert plan in wanted.stack("secondary", SECONDARY).resources


# --- C-08 … C-11 ----------------------------------------------------------------------------------


@each_role
def test_c08_three_zones_a_nat_gateway_in_each_and_only_the_database_port(view, stack, region):
    assert len(of_type(view, stack, region, "AWS::EC2::NatGateway")) == 3
    assert len(of_type(view, stack, region, "AWS::EC2::Subnet")) == 9
    groups = {r.logical_id: r.ref for r in of_type(view, stack, region, "AWS::EC2::SecurityGroup")}
    admitted = [
        (r.properties["SourceSecurityGroupId"], r.properties["GroupId"], r.properties["FromPort"])
        for r in of_type(view, stack, region, "AWS::EC2::SecurityGroupIngress")
    ]
    functions, database = groups["FunctionsSecurityGroup"], groups["DatabaseSecurityGroup"]
    assert admitted == [(functions, database, 5432)]
    for each in of_type(view, stack, region, "AWS::EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in each.properties


def test_c08_one_nat_gateway_is_a_parameter_away(manifest, committed):
    one = view_of(manifest, committed, NatGateways="one")
    assert len(of_type(one, "primary", PRIMARY, "AWS::EC2::NatGateway")) == 1


def test_c09_another_pair_of_regions_resolves_from_the_same_templates(manifest, committed):
    other = json.loads(
        json.dumps(dict(manifest)).replace(PRIMARY, "eu-west-1").replace(SECONDARY, "eu-central-1")
    )
    view = view_of(other, committed, EnvironmentSuffix="prod")
    assert set(view.regions()) == {"eu-west-1", "eu-central-1"}
    cluster = view.stack("primary", "eu-west-1").resources["PaymentsCluster"]
    assert cluster.properties["DBClusterIdentifier"] == "cluster-payments-prod-eu-west-1"
    for stack in view.stacks:
        for resource in stack.resources.values():
            assert PRIMARY not in json.dumps(resource.properties), resource.logical_id


@each_role
@pytest.mark.parametrize(
    "output", ["VpcId", "VpcCidr", "ClusterIdentifier", "FunctionUrl", "DocumentsBucketArn"]
)
def test_c10_outputs_are_exported_with_the_suffix(committed, stack, region, output):
    assert committed[stack]["Outputs"][output]["Export"]["Name"] == {
        "Fn::Sub": f"payments-dr-{stack}-{output}-${{EnvironmentSuffix}}-${{AWS::Region}}"
    }


@each_role
def test_c11_the_function_may_book_as_its_own_user_and_nothing_else(view, resource, stack, region):
    sessions = arn("dynamodb", region, "table/table-payments-sessions-dev")
    may = granted(resource(stack, region, "PaymentsRole"))
    (connect,) = [each for action, each in may if action == "rds-db:connect"]
    assert connect.startswith(arn("rds-db", region, "dbuser:"))
    assert "PaymentsCluster.DBClusterResourceId" in connect
    assert connect.endswith("/payments_app")
    assert may - {("rds-db:connect", connect)} == {
        ("dynamodb:GetItem", sessions),
        ("dynamodb:UpdateItem", sessions),
    }
    variables = resource(stack, region, "PaymentsFunction")["Environment"]["Variables"]
    assert (variables["DB_AUTH"], variables["DB_SSL"]) == ("iam", "require")
    assert not [name for name in variables if "PASSWORD" in name or "SECRET" in name]


# --- Migrations and the runbook -------------------------------------------------------------------


def test_a_copy_runs_no_migrations_and_an_independent_database_does(view, alone):
    step = "Custom::SchemaMigration"
    assert of_type(view, "primary", PRIMARY, step)
    assert not of_type(view, "secondary", SECONDARY, step)
    assert of_type(alone, "secondary", SECONDARY, step)


@each_role
def test_parameters_are_of_the_family_of_the_engine(committed, manifest, stack, region):
    for version, family in (("17.7", "aurora-postgresql17"), ("16.8", "aurora-postgresql16")):
        chosen = property_finder(view_of(manifest, committed, EngineVersion=version))
        assert chosen(stack, region, "PaymentsCluster")["EngineVersion"] == version
        assert chosen(stack, region, "PaymentsParameters")["Family"] == family


@each_role
def test_migrations_can_answer_for_as_long_as_they_are_there(committed, stack, region):
    """CloudFormation deletes last what the step depends on: the whole way out of the VPC."""
    made = committed[stack]["Resources"]
    ways = {
        "AWS::EC2::Route",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpoint",
    }
    needed = {name for name, each in made.items() if each["Type"] in ways}
    needed |= {
        name
        for name, each in made.items()
        if each["Type"] == "AWS::EC2::SubnetRouteTableAssociation" and "Isolated" not in name
    }
    assert needed <= set(made["Migrations"]["DependsOn"])


def test_the_runbook_promotes_the_global_database_that_there_is(root, view):
    (joined,) = view.resources("AWS::RDS::GlobalCluster")
    told = (root / "docs" / "payments-dr.md").read_text()
    (said,) = re.findall(r"--global-cluster-identifier (\S+)", told)
    assert said.replace("<suffix>", "dev") == joined.resource.name
