"""Whom and what VPC endpoints let through: this account alone, and all that its functions call.

An endpoint's policy grants nothing; it bounds what may pass. Without one, it lets anyone's
credentials through to anyone's resources: code that got hold of our data could write it into
another account's bucket, with that account's keys.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Admission, admissions
from tap_templates.iam.function_needs import vpcs_of
from tap_templates.iam.knowledge import action_names
from tap_templates.iam.needs import Clause, Need, Permission, Problem, spell
from tap_templates.iam.patterns import covers, covers_action, is_pattern
from tap_templates.iam.service_use import unjudged
from tap_templates.iam.services import VIA_SERVICE
from tap_templates.rendered.view import Located, SystemView

_ENDPOINT = "AWS::EC2::VPCEndpoint"
_CUSTOM = "AWS::CloudFormation::CustomResource"
_OWN_CALLER, _OWN_RESOURCE = "aws:principalaccount", "aws:resourceaccount"
# The end of a service's name, where it is not the prefix of its actions.
_PREFIXES = {"monitoring": "cloudwatch", "sync-states": "states"}


@dataclass(frozen=True, slots=True)
class CodeNeeds:
    """A function and what its code calls: that is what leaves through the VPC it is in."""

    function: Located
    needs: tuple[Need, ...]


def check_endpoints(view: SystemView, code: Iterable[CodeNeeds]) -> Iterator[Problem]:
    """Compare the policy of every VPC endpoint with whom it is for."""
    callers = [(each, vpcs_of(view, each.function)) for each in code]
    for endpoint in view.resources(_ENDPOINT):
        document = endpoint.resource.properties.get("PolicyDocument")
        if document is None:
            what = "has no policy, and so lets anyone through to anything"
            yield Problem(Code.ENDPOINT_OPEN, endpoint, "/Properties", what, _remedy(view))
            continue
        found, problems = admissions(endpoint, document, "/Properties/PolicyDocument")
        yield from problems
        steps = _answering(view, endpoint)
        answers = [each for each in found if _is_for_answers(view, each)]
        for admission in found:
            if admission not in answers:
                yield from _check(view, admission)
        if steps and not answers and _service(endpoint) == "s3":
            yield _cannot_answer(endpoint, steps[0])
        service = _service(endpoint)
        if service is None:
            yield unjudged(endpoint, "/Properties/ServiceName", "is for a service we do not know")
            continue
        for caller, vpcs in callers:
            if endpoint.resource.properties.get("VpcId") in vpcs:
                open_to = [each for each in found if _is_open_to(view, each, caller.function)]
                yield from _refused(endpoint, open_to, caller, service)


def _answering(view: SystemView, endpoint: Located) -> list[Located]:
    """List the functions in the endpoint's VPC that answer CloudFormation from there."""
    tokens = {
        str(each.resource.properties.get("ServiceToken"))
        for each in view.resources()
        if each.resource.type.startswith("Custom::") or each.resource.type == _CUSTOM
    }
    found = []
    for function in view.resources("AWS::Lambda::Function"):
        arn = str(function.resource.arn)
        is_called = any(each == arn or each.startswith(f"{arn}:") for each in tokens)
        if is_called and endpoint.resource.properties.get("VpcId") in vpcs_of(view, function):
            found.append(function)
    return found


def _is_for_answers(view: SystemView, admission: Admission) -> bool:
    """Tell whether a statement lets answers into CloudFormation's bucket of the region, no more.

    Whoever may write there is told by the address, which CloudFormation signs
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-vpce-bucketnames.html).
    """
    region = admission.located.stack.region.replace("-", "")
    bucket = f"arn:{view.partition}:s3:::cloudformation-custom-resource-response-{region}"
    return (
        admission.effect == "Allow"
        and admission.actions == ("s3:PutObject",)
        and admission.resources == (f"{bucket}/*",)
    )


def _cannot_answer(endpoint: Located, function: Located) -> Problem:
    return Problem(
        Code.ENDPOINT_REFUSES,
        endpoint,
        "/Properties/PolicyDocument",
        f"does not let {function.resource.logical_id} answer CloudFormation, whose deploy step it "
        "is: the deployment would wait until it gives up",
        "let s3:PutObject into CloudFormation's bucket through: gateway_endpoints(…, "
        "deploy_steps=True) in blocks/network_endpoints.py",
    )


def _remedy(view: SystemView) -> str:
    return f"hold it to StringEquals aws:PrincipalAccount = {view.account} (blocks/policy.py)"


def _service(endpoint: Located) -> str | None:
    """Name the prefix of the actions of an endpoint's service."""
    name = str(endpoint.resource.properties.get("ServiceName"))
    start = f"com.amazonaws.{endpoint.stack.region}."
    service = _PREFIXES.get(name.removeprefix(start), name.removeprefix(start))
    return service if name.startswith(start) and action_names(service) else None


def _check(view: SystemView, admission: Admission) -> Iterator[Problem]:
    located, path = admission.located, admission.path
    if admission.effect == "Deny":
        what = f"denies {', '.join(admission.actions)} under {spell(admission.condition)}"
        remedy = "let fewer through instead of denying more"
        yield Problem(Code.RESOURCE_DENIES, located, path, f"{what}, which we do not judge", remedy)
        return
    if admission.kind not in ("*", "AWS"):
        what = f"lets {admission.kind} {admission.principal} through, which no function is"
        yield Problem(Code.PRINCIPAL_UNEXPLAINED, located, path, what, "take it out")
    elif not _is_own(view, admission):
        what = f"lets {admission.principal} through under {spell(admission.condition)}"
        yield Problem(Code.ENDPOINT_OPEN, located, path, what, _remedy(view))


def _is_own(view: SystemView, admission: Admission) -> bool:
    """Tell whether a statement is for principals of this account alone."""
    start = f"arn:{view.partition}:iam::{view.account}:"
    name = admission.principal
    if name == view.account or (name.startswith(start) and not is_pattern(name)):
        return True
    return any(_holds_to(clause, _OWN_CALLER, view.account) for clause in admission.condition)


def _holds_to(clause: Clause, key: str, account: str) -> bool:
    is_about = clause.key.lower() == key and clause.operator == "StringEquals"
    return is_about and clause.values == (account,)


def _refused(
    endpoint: Located, open_to: Sequence[Admission], caller: CodeNeeds, service: str
) -> Iterator[Problem]:
    refused: dict[Permission, str] = {}
    for need in caller.needs:
        action, resource = need.permission.action, need.permission.resource
        # What a service does in the caller's name, as with a key, does not leave the VPC; a call to
        # another region leaves it another way.
        is_direct = all(each.key != VIA_SERVICE for each in need.permission.condition)
        is_here = resource.split(":")[3:4] in ([], [""], [endpoint.stack.region])
        if action.partition(":")[0] != service or not is_direct or not is_here:
            continue
        if not any(
            any(covers_action(given, action) for given in each.actions)
            and any(covers(given, resource) for given in each.resources)
            for each in open_to
        ):
            refused.setdefault(need.permission, need.why)
    for permission, why in sorted(refused.items()):
        yield Problem(
            Code.ENDPOINT_REFUSES,
            endpoint,
            "/Properties/PolicyDocument",
            f"does not let {permission.action} on {permission.resource} through, needed by {why}",
            "let it through: the policy of the role says who may do it",
        )


def _is_open_to(view: SystemView, admission: Admission, function: Located) -> bool:
    """Tell whether a statement is known to hold for what a function calls in this account."""
    root = f"arn:{view.partition}:iam::{view.account}:root"
    them = ("*", view.account, root, function.resource.properties.get("Role"))
    if admission.effect != "Allow" or admission.principal not in them:
        return False
    sends: Mapping[str, str] = {_OWN_CALLER: view.account, _OWN_RESOURCE: view.account}
    return all(
        clause.operator == "StringEquals" and sends.get(clause.key.lower()) in clause.values
        for clause in admission.condition
    )
