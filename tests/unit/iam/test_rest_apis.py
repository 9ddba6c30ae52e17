"""A REST API: the proof of a compiled one is silent, and tells of each door left open."""

from copy import deepcopy
from typing import Any

import pytest
from mutants import mutants
from troposphere import encode_to_dict
from unit.blocks import rest_pair
from unit.iam.building import EAST, WEST, Case

from tap_templates.blocks.rest_api_account import access_logs
from tap_templates.iam.codes import Code
from tap_templates.iam.proof import HandlerCode, prove

APP = "def handler(event, context):\n    return {'statusCode': 200}\n"
_POST, _HEALTH = "BooksPostBooksMethod", "BooksGetHealthMethod"


@pytest.fixture
def books() -> Case:
    stacks = rest_pair.rendered()
    templates = {name: deepcopy(dict(stack.template)) for name, stack in stacks.items()}
    made = access_logs()
    templates["logs"] = {"Resources": {each.title: encode_to_dict(each) for each in made}}
    where = {name: tuple(stack.regions) for name, stack in stacks.items()}
    code = {"booker": {"booker/app.py": APP}}
    return Case(templates, code, where | {"logs": (EAST, WEST)}, dict(rest_pair.parameters()))


def put(stack: str, logical_id: str, **changes: Any):
    return lambda case: case.properties(stack, logical_id).update(changes)


def integration(**changes: Any):
    return lambda case: case.properties("api", _POST)["Integration"].update(changes)


def without(*titles: str):
    return lambda case: [case.templates["api"]["Resources"].pop(each) for each in titles]


def no_reason(case: Case) -> None:
    del case.templates["api"]["Resources"][_HEALTH]["Metadata"]["tap.ignore_reasons"]


def open_write(case: Case) -> None:
    resources = case.templates["api"]["Resources"]
    resources[_POST]["Metadata"] = resources[_HEALTH]["Metadata"]
    resources[_POST]["Properties"]["AuthorizationType"] = "NONE"


def authorizer(case: Case) -> None:
    case.add("api", "Who", "AWS::ApiGateway::Authorizer", Type="TOKEN", RestApiId="x", Name="x")


def logs_statement(index: int, **changes: Any):
    return lambda case: case.statements("logs", "AccessLogRole")[index].update(changes)


FAULTS = (
    # Who may come in.
    (Code.PRINCIPAL_UNEXPLAINED, no_reason),
    (Code.PRINCIPAL_UNEXPLAINED, open_write),
    (Code.PRINCIPAL_UNEXPLAINED, put("api", _POST, AuthorizationType="NONE")),
    (Code.UNJUDGED, put("api", _POST, AuthorizationType="CUSTOM")),
    (Code.UNJUDGED, authorizer),
    *(
        (Code.UNJUDGED, put("api", "BooksApi", **{name: {}}))
        for name in ("Body", "BodyS3Location", "CloneFrom", "Policy")
    ),
    (Code.UNJUDGED, put("api", "BooksDomain", MutualTlsAuthentication={})),
    (Code.UNJUDGED, put("api", "BooksStage", CanarySetting={})),
    # What is behind it.
    (Code.UNJUDGED, integration(Type="AWS")),
    (Code.UNJUDGED, integration(Credentials="arn:aws:iam::111122223333:role/x")),
    (Code.UNJUDGED, integration(ConnectionId="x")),
    (Code.UNJUDGED, integration(Uri="arn:aws:lambda:us-east-1:1:function:x")),
    (Code.UNJUDGED, put("api", _POST, HttpMethod="ANY")),
    (Code.UNJUDGED, put("api", _POST, ResourceId="other")),
    (Code.UNJUDGED, put("api", _POST, RestApiId="other")),
    (Code.UNJUDGED, put("api", "BooksBooksResource", ParentId={"Ref": "BooksBooksResource"})),
    (Code.UNJUDGED, put("api", "BooksStage", RestApiId="other")),
    (Code.UNJUDGED, put("api", "BooksStage", AccessLogSetting={"DestinationArn": "arn:x"})),
    # The function's policy, in both directions.
    (Code.SERVICE_MISSING, without("BooksPostBooksPermission")),
    (Code.SERVICE_MISSING, put("api", "BooksBooksResource", PathPart="else")),
    (Code.SERVICE_MISSING, put("api", "BooksStage", StageName="v2")),
    (Code.SERVICE_CONDITION_DIFFERS, put("api", _POST, HttpMethod="PUT")),
    # The role of access logs.
    *((Code.MISSING, logs_statement(index, Action=["logs:GetLogEvents"])) for index in range(3)),
    (Code.UNUSED, logs_statement(2, Action=["logs:DeleteLogGroup"])),
    (Code.BROADER, logs_statement(2, Resource=["*"])),
    (Code.UNUSED, put("logs", "ApiAccount", CloudWatchRoleArn="arn:aws:iam::111122223333:role/x")),
)


def test_a_compiled_rest_api_and_its_logs_are_proven(books):
    assert books.findings() == []


@pytest.mark.parametrize(
    ("code", "plant"), FAULTS, ids=[f"{code.name}-{i}" for i, (code, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_by_its_code(books, code, plant):
    plant(books)
    assert code.code in {each.code for each in books.findings()}


def test_no_mutant_of_a_rest_api_survives(books):
    books.where["logs"] = books.where["api"] = (EAST,)  # the other region is the same again
    del books.templates["dns"]
    view, code = books.view(), HandlerCode(books.handlers)
    assert prove(view, code) == []
    changed = list(mutants(view))
    assert [name for name, mutant in changed if not prove(mutant, code) and mutant != view] == []
    assert len(changed) > 400
