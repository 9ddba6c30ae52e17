"""Planted changes of what is allowed, each with a twin that allows the same or less."""

import time

import pytest

from tap_templates.diff.model import FlagName
from tap_templates.diff.security.permissions.analyser import judge_permissions

QUEUE = "arn:aws:sqs:us-east-1:111122223333:orders"
SERVICE = {"Service": "lambda.amazonaws.com"}
BROADER, NARROWER = FlagName.IAM_BROADENING, FlagName.IAM_NARROWING


def _allow(action, resource=QUEUE, **rest):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def _deny(action, resource="*", **rest):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **rest}


def _document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _trust(principal=None, **rest):
    return _document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal or SERVICE, **rest}
    )


def _role(*statements, trust=None, **properties):
    if statements:
        properties["Policies"] = [
            {"PolicyName": "inline", "PolicyDocument": _document(*statements)}
        ]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust or _trust(), **properties},
    }


def _policy(*statements, kind="AWS::IAM::Policy", **properties):
    return {
        "Type": kind,
        "Properties": {"PolicyDocument": _document(*statements), **properties},
    }


def _names(flags):
    return [each.name for each in flags]


ROLE_CHANGES = [
    # before, after, what is flagged
    ([_allow("sqs:SendMessage")], [_allow("sqs:*")], BROADER),
    ([_allow("sqs:*")], [_allow("sqs:SendMessage")], NARROWER),
    ([_allow("sqs:SendMessage")], [_allow("sqs:SendMessage"), _allow("sqs:Send*")], BROADER),
    ([_allow("sqs:SendMessage")], [_allow("sqs:SendMessage", "*")], BROADER),
    ([_allow("sqs:*"), _deny("sqs:DeleteQueue")], [_allow("sqs:*")], BROADER),
    ([_allow("sqs:*")], [_allow("sqs:*"), _deny("sqs:DeleteQueue")], NARROWER),
    ([_allow("sqs:SendMessage")], [_allow("sqs:DeleteQueue")], BROADER),
    (
        [_allow("s3:GetObject", "*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})],
        [_allow("s3:GetObject", "*")],
        BROADER,
    ),
    (
        [_allow("sqs:SendMessage")],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        BROADER,
    ),
    ([_allow("*", "*")], [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], NARROWER),
    (
        [_allow("sqs:SendMessage", {"Fn::GetAtt": ["A", "Arn"]})],
        [_allow("sqs:SendMessage", [{"Fn::GetAtt": ["A", "Arn"]}, {"Fn::GetAtt": ["B", "Arn"]}])],
        BROADER,
    ),
]
QUEUES = {"A": {"Type": "AWS::SQS::Queue"}, "B": {"Type": "AWS::SQS::Queue"},
          "Named": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "name"), ROLE_CHANGES)
def test_a_change_of_a_role_is_told(judge, before, after, name):
    flags = judge(
        judge_permissions, {"Role": _role(*before), **QUEUES}, {"Role": _role(*after), **QUEUES}
    )
    assert _names(flags) == [name]
    assert flags[0].certain
    assert flags[0].witness


ARN = {"Fn::GetAtt": ["Named", "Arn"]}
SPELLED = {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:orders"}
SAME_ROLES = [
    ([_allow(["sqs:SendMessage", "sqs:GetQueueUrl"])],
     [_allow("sqs:getqueueurl"), _allow("SQS:SendMessage")]),
    ([_allow("sqs:*")], [_allow(["sqs:*", "sqs:SendMessage"])]),
    ([_allow("sqs:SendMessage", ARN)], [_allow("sqs:SendMessage", SPELLED)]),
    ([_allow("sqs:Send*", ["arn:aws:sqs:*:*:*", QUEUE])],
     [_allow("sqs:Send*", "arn:aws:sqs:*:*:*")]),
    ([_allow("s3:GetObject", "*", Condition={"StringLike": {"aws:SourceVpc": "vpc-1"}})],
     [_allow("s3:GetObject", "*", Condition={"StringEquals": {"AWS:SourceVpc": ["vpc-1"]}})]),
    ([_allow("sqs:*"), _deny(["sqs:A*", "sqs:B*"])],
     [_allow("sqs:*"), _deny("sqs:B*"), _deny("sqs:A*")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), SAME_ROLES)
def test_the_same_rights_in_other_words_are_silent(judge, before, after):
    flags = judge(
        judge_permissions, {"Role": _role(*before), **QUEUES}, {"Role": _role(*after), **QUEUES}
    )
    assert flags == []


def test_a_witness_is_an_action_that_exists(judge):
    before, after = _role(_allow("sqs:SendMessage")), _role(_allow("sqs:*"))
    (flag,) = judge(judge_permissions, {"Role": before}, {"Role": after})
    assert flag.witness == f"sqs:DeleteQueue on {QUEUE}"
    assert flag.because == f"Role may do more than before: newly allowed is {flag.witness}"


def test_a_witness_is_an_action_that_is_done_to_such_a_thing(judge):
    """DeleteBackup is done to a backup of a table, never to the table."""
    table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
    before, after = (
        _role(_allow(action, Resource=table)) for action in ("dynamodb:PutItem", "dynamodb:*")
    )
    (flag,) = judge(judge_permissions, {"Role": before}, {"Role": after})
    assert flag.witness == f"dynamodb:DeleteItem on {table}"


def test_a_statement_that_moves_to_a_policy_of_its_own_is_silent(judge):
    grant = _allow("sqs:SendMessage")
    attached = _policy(grant, PolicyName="p", Roles=[{"Ref": "Role"}])
    managed = _policy(grant, kind="AWS::IAM::ManagedPolicy", Roles=[{"Ref": "Role"}])
    taken = _policy(grant, kind="AWS::IAM::ManagedPolicy")
    inline = {"Role": _role(grant)}
    assert judge(judge_permissions, inline, {"Role": _role(), "P": attached}) == []
    assert judge(judge_permissions, inline, {"Role": _role(), "P": managed}) == []
    taker = _role(ManagedPolicyArns=[{"Ref": "P"}])
    assert judge(judge_permissions, inline, {"Role": taker, "P": taken}) == []


def test_a_wider_policy_is_told_where_it_is_attached(judge):
    role = _role(ManagedPolicyArns=[{"Ref": "P"}])
    flags = judge(
        judge_permissions,
        {"Role": role, "P": _policy(_allow("sqs:SendMessage"), kind="AWS::IAM::ManagedPolicy")},
        {"Role": role, "P": _policy(_allow("sqs:*"), kind="AWS::IAM::ManagedPolicy")},
    )
    assert _names(flags) == [BROADER]
    assert flags[0].because.startswith("Role may do more")


def test_a_boundary_narrows_and_its_loss_broadens(judge):
    open_role, bound = (
        _role(_allow("sqs:*")),
        _role(_allow("sqs:*"), PermissionsBoundary={"Ref": "Bound"}),
    )
    boundary = _policy(_allow("sqs:SendMessage", "*"), kind="AWS::IAM::ManagedPolicy")
    before, after = {"Role": open_role, "Bound": boundary}, {"Role": bound, "Bound": boundary}
    assert _names(judge(judge_permissions, before, after)) == [NARROWER]
    assert _names(judge(judge_permissions, after, before)) == [BROADER]
    wider = {**after, "Bound": _policy(_allow("sqs:S*", "*"), kind="AWS::IAM::ManagedPolicy")}
    assert _names(judge(judge_permissions, after, wider)) == [BROADER]


def test_named_managed_policies(judge):
    logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    reads = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    other = "arn:aws:iam::aws:policy/ViewOnlyAccess"
    plain, reader = _role(_allow("sqs:*")), _role(_allow("sqs:*"), ManagedPolicyArns=[reads])
    (flag,) = judge(judge_permissions, {"Role": plain}, {"Role": reader})
    assert (flag.name, flag.witness) == (BROADER, f"whatever {reads} allows")
    assert _names(judge(judge_permissions, {"Role": reader}, {"Role": plain})) == [NARROWER]
    viewer = _role(_allow("sqs:*"), ManagedPolicyArns=[other])
    (flag,) = judge(judge_permissions, {"Role": reader}, {"Role": viewer})
    assert (flag.name, flag.certain) == (BROADER, False)
    spelled = _allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*")
    before, after = _role(ManagedPolicyArns=[logs]), _role(spelled)
    assert judge(judge_permissions, {"Role": before}, {"Role": after}) == []


def test_who_may_take_a_role(judge):
    other = "arn:aws:iam::444455556666:root"
    before = {"Role": _role(trust=_trust())}
    wider = {"Role": _role(trust=_trust({**SERVICE, "AWS": other}))}
    (flag,) = judge(judge_permissions, before, wider)
    assert (flag.name, flag.witness) == (BROADER, "sts:AssumeRole by AWS account 444455556666")
    bound = _trust(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})
    assert _names(judge(judge_permissions, before, {"Role": _role(trust=bound)})) == [NARROWER]
    (flag,) = judge(judge_permissions, {"Role": _role(trust=bound)}, before)
    assert flag.witness == "sts:AssumeRole by lambda.amazonaws.com without aws:SourceAccount"


def _queue_policy(*statements):
    return _policy(*statements, kind="AWS::SQS::QueuePolicy", Queues=[{"Ref": "Named"}])


def test_who_may_use_a_queue(judge):
    events = {"Service": "events.amazonaws.com"}
    bound = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}
    kept = _queue_policy(_allow("sqs:SendMessage", ARN, Principal=events, Condition=bound))
    before = {**QUEUES, "Policy": kept}
    loose = _queue_policy(_allow("sqs:SendMessage", ARN, Principal=events))
    (flag,) = judge(judge_permissions, before, {**QUEUES, "Policy": loose})
    assert flag.name is BROADER
    assert "by events.amazonaws.com" in flag.witness
    # A queue's policy is about the queue, however it is named.
    anything = _queue_policy(_allow("sqs:SendMessage", "*", Principal=events, Condition=bound))
    assert judge(judge_permissions, before, {**QUEUES, "Policy": anything}) == []
    assert _names(judge(judge_permissions, QUEUES, before)) == [BROADER]
    assert _names(judge(judge_permissions, before, QUEUES)) == [NARROWER]
    # What a new queue lets a service do with itself, takes nothing from anyone.
    others = {name: each for name, each in QUEUES.items() if name != "Named"}
    assert judge(judge_permissions, others, before) == []


def test_permissions_of_a_function_are_its_policy(judge):
    def permission(**properties):
        return {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                **properties,
            },
        }

    function = {"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "r"}}}
    rule = "arn:aws:events:us-east-1:111122223333:rule/"
    one = {**function, "P": permission(SourceArn=f"{rule}a")}
    assert _names(judge(judge_permissions, function, one)) == [BROADER]
    renamed = {**function, "Q": permission(SourceArn=f"{rule}a")}
    assert judge(judge_permissions, one, renamed) == []
    assert _names(judge(judge_permissions, one, {**function, "P": permission()})) == [BROADER]


def test_a_key_without_policy_is_its_account_s(judge):
    def key(*statements):
        properties = {"KeyPolicy": _document(*statements)} if statements else {}
        return {"Key": {"Type": "AWS::KMS::Key", "Properties": properties}}

    account = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    default = key(_allow("kms:*", "*", Principal=account))
    assert judge(judge_permissions, key(), default) == []
    role = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/admin"}}
    narrow = key(_allow("kms:*", "*", Principal=role))
    assert _names(judge(judge_permissions, default, narrow)) == [NARROWER]
    stranger = key(_allow("kms:*", "*", Principal=account),
                   _allow("kms:Decrypt", "*", Principal={"AWS": "444455556666"}))  # fmt: skip
    assert _names(judge(judge_permissions, default, stranger)) == [BROADER]


PARAMETERS = {"Target": {"Type": "String"}, "Other": {"Type": "String"}}


def test_what_hangs_on_a_parameter_is_told_as_uncertain(judge):
    target, other = {"Ref": "Target"}, {"Ref": "Other"}
    before = {"Role": _role(_allow("sqs:SendMessage", target))}
    after = {"Role": _role(_allow("sqs:SendMessage", [target, other]))}
    (flag,) = judge(judge_permissions, before, after, parameters=PARAMETERS)
    assert (flag.name, flag.certain) == (BROADER, False)
    anything = {"Role": _role(_allow("sqs:SendMessage", "*"))}
    (flag,) = judge(judge_permissions, before, anything, parameters=PARAMETERS)
    assert flag.name is BROADER
    assert _names(judge(judge_permissions, anything, after, parameters=PARAMETERS)) == [NARROWER]
    below = {"Fn::Join": ["", [target, "/*"]]}
    under = {"Role": _role(_allow("sqs:SendMessage", [target, below]))}
    assert judge(judge_permissions, before, under, parameters=PARAMETERS)


def test_what_cannot_be_read_is_never_equal(judge):
    odd = {**_allow("sqs:*"), "Extra": 1}
    before = {"Role": _role(_allow("sqs:SendMessage"))}
    (flag,) = judge(judge_permissions, before, {"Role": _role(_allow("sqs:SendMessage"), odd)})
    assert (flag.name, flag.certain) == (BROADER, False)
    unknown = [
        {"Role": _role(_allow("s3:*", "*", Condition={operator: {"aws:x": "1"}}))}
        for operator in ("Resembles", "Reminds")
    ]
    (flag,) = judge(judge_permissions, *unknown)
    assert (flag.name, flag.certain) == (BROADER, False)
    assert judge(judge_permissions, unknown[0], unknown[0]) == []


def test_a_new_role_may_do_what_it_says(judge):
    flags = judge(judge_permissions, {}, {"Role": _role(_allow("sqs:SendMessage"))})
    assert [(each.name, each.witness) for each in flags] == [
        (BROADER, f"sqs:SendMessage on {QUEUE}")
    ]
    assert _names(judge(judge_permissions, {"Role": _role(_allow("sqs:*"))}, {})) == [
        NARROWER, NARROWER,
    ]  # fmt: skip


def test_a_hundred_statements_are_decided_in_well_under_a_second(judge):
    statements = [
        _allow([f"sqs:{verb}*", f"s3:{verb}Object"],
               [f"arn:aws:sqs:us-east-1:111122223333:q-{n}-*", f"arn:aws:s3:::b-{n}/*"],
               Condition={"StringLike": {"aws:SourceArn": f"arn:aws:events:*:*:rule/r{n % 7}*"}})
        for n, verb in zip(range(100), ["Get", "Put", "Send", "List"] * 25, strict=True)
    ]  # fmt: skip
    before, after = {"Role": _role(*statements)}, {"Role": _role(*statements, _allow("sns:*"))}
    started = time.perf_counter()
    assert _names(judge(judge_permissions, before, after)) == [BROADER]
    split = [_allow(action, each["Resource"], Condition=each["Condition"])
             for each in statements for action in each["Action"]]  # fmt: skip
    assert judge(judge_permissions, before, {"Role": _role(*split)}) == []
    assert time.perf_counter() - started < 2


def test_a_statement_under_a_condition_of_the_template(judge):
    def role(statement, *rest):
        conditional = {"Fn::If": ["Odd", statement, {"Ref": "AWS::NoValue"}]}
        return {"Role": _role(conditional, *rest)}

    kept = _allow("sqs:GetQueueUrl")
    before = role(_allow("sqs:SendMessage"), kept)
    other_words = role(_allow(["SQS:SendMessage", "sqs:sendmessage"]), kept)
    assert judge(judge_permissions, before, other_words) == []
    always = {"Role": _role(_allow("sqs:SendMessage"), kept)}
    (flag,) = judge(judge_permissions, before, always)
    assert (flag.name, flag.certain) == (BROADER, False)
    assert _names(judge(judge_permissions, always, before)) == [NARROWER]
    (flag,) = judge(judge_permissions, before, role(_allow("sqs:*"), kept))
    assert (flag.name, flag.certain) == (BROADER, False)
