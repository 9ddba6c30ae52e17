"""What the execution role may do follows from the resource types, and fails closed."""

import pytest
from troposphere import Ref, encode_to_dict

from tap_templates.blocks.stack_sets import stack_set_roles
from tap_templates.errors import ModelError


def statements(*types):
    made = stack_set_roles(types, regions=[Ref("PrimaryRegion")])
    return [
        statement
        for policy in made.policies
        for statement in encode_to_dict(policy)["Properties"]["PolicyDocument"]["Statement"]
    ]


def resources(found, action):
    """Collect what `action` is allowed on: the last part of each ARN."""
    texts = {
        resource["Fn::Sub"] if isinstance(resource, dict) else resource
        for statement in found
        for resource in statement["Resource"]
        if action in statement["Action"]
    }
    plain = {text.replace("${AWS::", "${") for text in texts}
    return {text.split(":", 5)[-1] for text in plain}


def test_service_linked_roles_are_made_for_the_services_of_the_types_alone():
    found = statements("AWS::DynamoDB::GlobalTable", "AWS::EC2::FlowLog")
    (linking,) = [each for each in found if each["Sid"] == "LinkRoles"]
    services = ["delivery.logs.amazonaws.com", "replication.dynamodb.amazonaws.com"]
    assert linking["Condition"] == {"StringEquals": {"iam:AWSServiceName": services}}
    assert resources(found, "iam:CreateServiceLinkedRole") == {
        f"role/aws-service-role/{service}/*" for service in services
    }


def test_a_type_whose_service_linked_role_is_unknown_is_refused():
    kind = "AWS::Neptune::DBCluster"
    with pytest.raises(ModelError, match=f"{kind}: makes a service-linked role") as no:
        statements(kind)
    assert "_LINKED_TO" in no.value.remedy


def test_what_has_no_name_is_limited_to_the_kinds_of_things_our_templates_hold():
    tagged = resources(statements("AWS::EC2::VPC"), "ec2:CreateTags")
    assert {"vpc/*", "subnet/*", "security-group/*"} <= tagged
    assert not {each for each in tagged if each.startswith(("instance/", "volume/", "image/"))}


def test_log_groups_are_those_that_our_rule_names():
    assert resources(statements("AWS::Logs::LogGroup"), "logs:DeleteLogGroup") == {
        "log-group:/aws/lambda/function-*",
        "log-group:/aws/rds/cluster/cluster-*",
        "log-group:/aws/vendedlogs/apis/api-*",
        "log-group:/aws/vendedlogs/states/machine-*",
        "log-group:/aws/vpc/vpc-*",
    }


def test_what_a_schema_does_not_list_is_granted_too():
    found = statements("AWS::ApiGatewayV2::Stage")
    assert resources(found, "logs:CreateLogDelivery") == {"*"}
    assert resources(statements("AWS::ApiGatewayV2::Api"), "logs:UpdateLogDelivery") == set()


def test_the_first_custom_domain_of_an_account_makes_a_linked_role():
    for kind in ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"):
        linked = resources(statements(kind), "iam:CreateServiceLinkedRole")
        assert linked == {"role/aws-service-role/ops.apigateway.amazonaws.com/*"}


def test_rest_apis_are_touched_where_there_are_some():
    assert resources(statements("AWS::ApiGateway::RestApi"), "apigateway:PATCH") == {
        "/restapis", "/restapis/*", "/domainnames", "/domainnames/*", "/tags/*",
    }  # fmt: skip


def test_http_apis_are_all_that_is_touched_of_api_gateway():
    assert resources(statements("AWS::ApiGatewayV2::Api"), "apigateway:DELETE") == {
        "/apis", "/apis/*", "/domainnames", "/domainnames/*", "/tags/*",
    }  # fmt: skip


def test_a_peering_is_accepted_for_the_account_itself_without_another_role():
    found = statements("AWS::EC2::VPCPeeringConnection")
    assert resources(found, "sts:AssumeRole") == set()
    assert "vpc-peering-connection/*" in resources(found, "ec2:AcceptVpcPeeringConnection")


def test_settings_and_mappings_are_those_of_our_systems():
    found = statements("AWS::SSM::Parameter", "AWS::Lambda::EventSourceMapping")
    assert resources(found, "ssm:PutParameter") == {"parameter/*/*/*"}
    assert resources(found, "lambda:UpdateEventSourceMapping") == {"event-source-mapping:*"}
    assert "event-source-mapping:*" in resources(found, "lambda:TagResource")
    assert "function:function-*" in resources(found, "lambda:TagResource")
