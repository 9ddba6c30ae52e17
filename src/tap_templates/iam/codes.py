"""What the proof may find: one entry a code, which all else derives from."""

from enum import Enum

_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_SAR = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html"
_GRANT_LEAST = _IAM + "best-practices.html#grant-least-privilege"
_DEPUTY = _IAM + "confused-deputy.html"
_KMS = "https://docs.aws.amazon.com/kms/latest/developerguide/"
_RESOURCE = _IAM + "access_policies_identity-vs-resource.html"
_ENDPOINT = "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"
_TRUST = _IAM + "reference_policies_elements_principal.html"


class Code(Enum):
    """A code's name is its member's, its value what it means and where AWS says so."""

    # What a role may do, against what it has to.
    MISSING = ("a role lacks a permission that is used with it", _GRANT_LEAST)
    UNUSED = ("a role has a permission that nothing uses", _GRANT_LEAST)
    REPEATED = ("a role has the same permission twice, so that one can be dropped", _GRANT_LEAST)
    BROADER = ("a permission covers more resources than the one that is used", _GRANT_LEAST)
    NO_CONDITION = ("a permission lacks the condition it is safe under", _GRANT_LEAST)
    CONDITION_DIFFERS = (
        "a permission has a condition other than the one that is known to hold",
        _IAM + "reference_policies_elements_condition.html",
    )
    ROLE_UNUSED = ("no resource runs with the role", _GRANT_LEAST)
    # How a policy is written.
    WILDCARD_ACTION = ("a policy allows a pattern of actions", _GRANT_LEAST)
    UNKNOWN_ACTION = ("IAM does not know the action", _SAR)
    STAR_BUT_RESOURCE_LEVEL = ("`*` as resource of an action that can be limited", _SAR)
    CONDITION_KEY_UNSUPPORTED = ("a condition on a key that the action does not carry", _SAR)
    BANNED_ELEMENT = (
        "NotAction, NotResource, NotPrincipal, a policy variable or a negated set operator",
        _IAM + "reference_policies_elements_notaction.html",
    )
    MALFORMED = ("a policy we cannot read", _IAM + "reference_policies_elements.html")
    MANAGED_POLICY = (
        "a policy that is not made in this system",
        _IAM + "access_policies_managed-vs-inline.html",
    )
    BOUNDARY = ("a permissions boundary we cannot see", _IAM + "access_policies_boundaries.html")
    # Who may take the role.
    TRUST_STAR = ("anyone may assume the role", _TRUST)
    TRUST_PRINCIPAL = ("trust and users of the role differ", _TRUST)
    TRUST_ACTION = ("the trust policy allows more than sts:AssumeRole", _TRUST)
    CONFUSED_DEPUTY = ("a service may use the role on behalf of others", _DEPUTY)
    # What AWS services do with our resources without a role of ours.
    SERVICE_MISSING = ("a resource does not admit a service that is told to use it", _RESOURCE)
    SERVICE_UNUSED = ("a resource admits a service to something it is not told to do", _RESOURCE)
    SERVICE_BROADER = ("a resource admits a service for more than what is told to use it", _DEPUTY)
    SERVICE_NO_CONDITION = ("a resource admits a service on behalf of others", _DEPUTY)
    SERVICE_CONDITION_DIFFERS = (
        "a resource admits a service under a condition that is not known to hold",
        _IAM + "reference_policies_elements_condition.html",
    )
    PRINCIPAL_UNEXPLAINED = ("a resource admits someone whom nothing explains", _RESOURCE)
    RESOURCE_DENIES = ("a resource policy denies more than plain text", _RESOURCE)
    MANAGED_KEY = (
        "a service is to use an AWS managed key, whose policy admits no service",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
    )
    KEY_ADMINISTRATION = (
        "a key policy under which the account cannot manage the key",
        _KMS + "key-policy-default.html",
    )
    KEY_DELEGATES = (
        "a key policy lets IAM policies decide about what nothing uses",
        _KMS + "key-policy-default.html",
    )
    # What a VPC lets through to AWS.
    ENDPOINT_OPEN = ("credentials of another account are of use through a VPC endpoint", _ENDPOINT)
    ENDPOINT_REFUSES = ("a VPC endpoint refuses what a function in its VPC calls", _ENDPOINT)
    # What we cannot judge is refused.
    ROLE_USER_UNKNOWN = ("we do not know what the resource does with the role", _GRANT_LEAST)
    UNJUDGED = ("a property whose needs we do not know", _GRANT_LEAST)
    NO_LOG_GROUP = (
        "a function logs to a group that is not in the system, and would have to create it",
        _LAMBDA + "monitoring-cloudwatchlogs-loggroups.html",
    )
    NO_CODE = ("we do not have the code of a function", _GRANT_LEAST)
    CALL_UNTRACED = ("we cannot tell what a piece of code calls", _GRANT_LEAST)
    CALL_UNMAPPED = ("we do not know which permissions a call needs", _SAR)
    CALL_RESOURCE = ("we cannot tell which resource a call is about", _GRANT_LEAST)

    def __init__(self, shortdesc: str, source_url: str) -> None:
        self.shortdesc = shortdesc
        self.source_url = source_url

    @property
    def code(self) -> str:
        return f"TAP-IAM-{self.name.replace('_', '-')}"
