"""Names that fail over, copies, backups, function URLs and deploy steps, as they are rendered."""

from typing import Any

import pytest
from troposphere import Ref, encode_to_dict
from unit.blocks import books_pair

from tap_templates.blocks.function import Function
from tap_templates.blocks.function_url import FunctionUrl
from tap_templates.blocks.http_api import HttpApi, Throttle, open_route, signed_api, signed_route
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.errors import ModelError
from tap_templates.model.names import TAG_KEYS

BOOK = Function("books-api")


def resources(stack: str) -> dict[str, Any]:
    return books_pair.rendered()[stack].template["Resources"]


def properties(stack: str, title: str) -> dict[str, Any]:
    return resources(stack)[title]["Properties"]


def statements(stack: str, role: str) -> dict[str, Any]:
    (policy,) = properties(stack, role)["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_zone_can_be_changed_without_us_east_1():
    zone = properties("zone", "BooksZone")
    assert zone["HostedZoneFeatures"] == {"EnableAcceleratedRecovery": True}
    assert {each["Key"] for each in zone["HostedZoneTags"]} == set(TAG_KEYS)


def test_a_name_leads_to_both_regions_and_is_moved_by_the_check_of_the_first():
    first, last = (properties("dns", f"Books{each}Record") for each in ("Primary", "Secondary"))
    assert (first["Failover"], last["Failover"]) == ("PRIMARY", "SECONDARY")
    assert first["Name"] == last["Name"]
    assert first["SetIdentifier"] == {"Ref": "PrimaryRegion"}
    assert first["HealthCheckId"] == {"Ref": "BooksHealthCheck"}
    assert "HealthCheckId" not in last
    assert first["TTL"] == last["TTL"] == {"Ref": "RecordTtl"}
    check = properties("dns", "BooksHealthCheck")["HealthCheckConfig"]
    assert (check["Type"], check["RequestInterval"]) == ("HTTPS", 10)
    assert check["FullyQualifiedDomainName"]["Fn::Sub"].startswith(
        "${PrimaryApiId}.execute-api.${PrimaryRegion}."
    )
    parameters = books_pair.rendered()["dns"].template["Parameters"]
    assert (parameters["UnhealthyChecks"]["Default"], parameters["RecordTtl"]["Default"]) == (2, 10)


def test_the_certificate_is_proved_in_the_zone_and_the_domain_takes_tls_1_2():
    certificate = properties("primary", "BooksCertificate")
    (proof,) = certificate["DomainValidationOptions"]
    assert proof["HostedZoneId"] == {"Ref": "HostedZoneId"}
    (domain,) = properties("primary", "BooksDomain")["DomainNameConfigurations"]
    assert domain["SecurityPolicy"] == "TLS_1_2"


def test_only_the_health_route_is_open_and_says_why():
    routes = {
        title: each for title, each in resources("primary").items()
        if each["Type"] == "AWS::ApiGatewayV2::Route"
    }  # fmt: skip
    asks = {title: each["Properties"]["AuthorizationType"] for title, each in routes.items()}
    assert asks == {"GetRoute": "AWS_IAM", "HealthRoute": "NONE", "PostRoute": "AWS_IAM"}
    assert routes["HealthRoute"]["Metadata"]["tap.ignore_reasons"] == {"E9601": "Route 53 asks."}
    source = properties("primary", "GetPermission")["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${BooksApi}/*/GET/books/*")


def api():
    key = service_key("Log", "log", "x", use_by_log_groups("/x"))
    return signed_api(
        "Books", HttpApi("books"), function=BOOK, throttle=Throttle(rate=1, burst=1), log_key=key,
        describes="x",
    )  # fmt: skip


def test_a_route_without_a_reason_is_not_opened():
    with pytest.raises(ModelError, match="is open for no reason"):
        open_route("Health", api(), route="GET /health", function=BOOK, why=" ")


@pytest.mark.parametrize("route", ["/books", "get /books", "GET books"])
def test_a_route_is_a_method_and_a_path(route):
    with pytest.raises(ModelError, match="is no method and path"):
        signed_route("Books", api(), route=route, function=BOOK)


def test_a_function_url_asks_for_a_signature_and_has_both_permissions():
    url = properties("primary", "BookUrl")
    assert (url["AuthType"], url["Qualifier"]) == ("AWS_IAM", "live")
    call, invoke = properties("primary", "BookUrlCall"), properties("primary", "BookUrlInvoke")
    assert (call["Action"], call["FunctionUrlAuthType"]) == ("lambda:InvokeFunctionUrl", "AWS_IAM")
    assert (invoke["Action"], invoke["InvokedViaFunctionUrl"]) == ("lambda:InvokeFunction", True)
    assert call["Principal"] == invoke["Principal"] == {"Ref": "AWS::AccountId"}


def test_a_caller_may_call_the_url_and_not_the_function_beside_it():
    call, invoke = (encode_to_dict(each) for each in FunctionUrl(BOOK).call())
    assert call["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    assert invoke["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}


def test_a_bucket_copies_everything_but_deletions_and_its_role_no_more():
    bucket = properties("primary", "DocumentsBucket")
    (rule,) = bucket["ReplicationConfiguration"]["Rules"]
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert rule["Destination"]["Metrics"]["Status"] == "Enabled"
    assert rule["Destination"]["Bucket"]["Fn::Sub"].endswith(
        ":::bucket-books-copies-${EnvironmentSuffix}-${SecondaryRegion}-${AWS::AccountId}"
    )
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    granted = {
        action
        for each in statements("primary", "DocumentsReplicationRole").values()
        for action in each["Action"]
    }
    assert "s3:ReplicateObject" in granted
    assert not {"s3:ReplicateDelete", "s3:GetObject", "s3:PutObject"} & granted


def test_backups_go_to_the_other_region_for_seven_days():
    (rule,) = properties("primary", "BooksBackupPlan")["BackupPlan"]["BackupPlanRule"]
    (copy,) = rule["CopyActions"]
    assert rule["Lifecycle"] == copy["Lifecycle"] == {"DeleteAfterDays": 7}
    assert "${SecondaryRegion}" in copy["DestinationBackupVaultArn"]["Fn::Sub"]
    selection = properties("primary", "BooksBackupSelection")["BackupSelection"]
    assert len(selection["Resources"]) == 1
    vault = properties("recovery", "BooksVault")
    assert vault["EncryptionKeyArn"] == {"Fn::GetAtt": ["BooksVaultKey", "Arn"]}
    assert set(vault["BackupVaultTags"]) == set(TAG_KEYS)


def test_the_backup_role_copies_to_one_vault_only():
    granted = statements("primary", "BooksBackupRole")
    targets = granted["CopyFromVault"]["Condition"]
    assert targets["Null"] == {"backup:CopyTargets": "false"}
    assert len(targets["ForAllValues:StringEquals"]["backup:CopyTargets"]) == 1
    assert granted["GrantKeys"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert [sid for sid, each in granted.items() if each["Resource"] == ["*"]] == ["FindResources"]


def test_migrations_run_when_their_package_changes_and_after_there_is_a_database():
    step = resources("primary")["Migrations"]
    assert step["Properties"]["RunsAgainWith"] == {"Ref": "SchemaCodeSha256"}
    assert set(step["DependsOn"]) == {"SchemaAlias", "BooksInstance1", "BooksInstance2"}
    assert step["Properties"]["ServiceToken"]["Fn::Sub"].endswith(":live")
    assert "Migrations" not in resources("secondary")


def test_a_function_beside_its_network_refers_to_it():
    config = properties("primary", "BookFunction")["VpcConfig"]
    assert config["SecurityGroupIds"] == [encode_to_dict(Ref("FunctionSecurityGroup"))]
    assert len(config["SubnetIds"]) == 3
