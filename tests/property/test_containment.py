"""Laws of containment: the decision, and its witness, agree with an evaluator of single requests.

The evaluator below shares nothing with the decision but the shape of a policy document: it looks
at one request at a time, as IAM does, with regular expressions.
"""

import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.diff.security.permissions.containment import Comparison, Verdict, compare
from tap_templates.diff.security.permissions.reading import Reader
from tap_templates.diff.security.permissions.statements import Policies, Witness
from tap_templates.diff.security.texts import Atoms, Encoder

ACCOUNT = "111122223333"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
BUCKET = "arn:aws:s3:::audit"


class Request(NamedTuple):
    """One call; a key of its context has the values that came with it."""

    action: str
    resource: str
    principal: str
    context: dict[str, list[str]]


# The evaluator.


def _glob(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(each) or re.escape(each) for each in pattern)
    return re.fullmatch(regex, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _names(given_principal: Any, principal: str) -> bool:
    if given_principal == "*":
        return True
    for kind, names in given_principal.items():
        for name in names if isinstance(names, list) else [names]:
            if name == "*" or (kind == "Service" and principal == name):
                return True
            if kind == "AWS":
                account = re.fullmatch(r"(?:arn:aws:iam::)?(\d{12})(?::root)?", name)
                if principal == name or (account and f":iam::{account[1]}:" in principal):
                    return True
    return False


_TESTS = {
    "StringEquals": lambda value, given_value: value == given_value,
    "StringLike": lambda value, given_value: _glob(given_value, value),
    "StringEqualsIgnoreCase": lambda value, given_value: value.lower() == given_value.lower(),
    "NumericLessThan": lambda value, given_value: float(value) < float(given_value),
    "NumericGreaterThanEquals": lambda value, given_value: float(value) >= float(given_value),
    "Bool": lambda value, given_value: value.lower() == given_value.lower(),
}


def _holds(spelled: str, values: list[str], found: list[str] | None) -> bool:
    quantifier, _, operator = spelled.rpartition(":")
    if operator == "Null":
        return any((each == "true") == (found is None) for each in values)
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negative = "Not" in operator
    test = _TESTS[operator.replace("Not", "")]
    if found is None:
        return if_exists or quantifier == "ForAllValues" or (negative and not quantifier)
    outcomes = [any(test(value, each) for each in values) is not negative for value in found]
    return any(outcomes) if quantifier == "ForAnyValue" else all(outcomes)


def _matches(statement: dict[str, Any], request: Request) -> bool:
    for element, text in (("Action", request.action), ("Resource", request.resource)):
        folded = element == "Action"
        if f"Not{element}" in statement:
            if any(_glob(e, text, ignore_case=folded) for e in statement[f"Not{element}"]):
                return False
        elif not any(_glob(e, text, ignore_case=folded) for e in statement[element]):
            return False
    if "Principal" in statement and not _names(statement["Principal"], request.principal):
        return False
    return all(
        _holds(operator, values, request.context.get(key))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _allows(
    statements: list[dict[str, Any]], request: Request, boundary: list[dict[str, Any]] | None = None
) -> bool:
    def effects(given_statements: list[dict[str, Any]]) -> set[str]:
        return {each["Effect"] for each in given_statements if _matches(each, request)}

    return effects(statements) == {"Allow"} and (boundary is None or effects(boundary) == {"Allow"})


# Policies and requests to try.

ACTIONS = ["*", "sqs:*", "SQS:Send*", "sqs:SendMessage", "sqs:DeleteQueue", "s3:Get*", "s3:*Object",
           "s3:GetObject", "s3:?etObject"]  # fmt: skip
RESOURCES = ["*", f"{QUEUE}*", f"{QUEUE}orders", f"{QUEUE}orders-?", "arn:aws:sqs:*:*:orders",
             BUCKET, f"{BUCKET}/*", f"{BUCKET}/a*", "arn:aws:s3:::*"]  # fmt: skip
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"AWS": ACCOUNT},
    {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/writer"},
    {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
    {"Service": "events.amazonaws.com"},
]
CONDITIONS: list[dict[str, dict[str, list[str]]]] = [
    {},
    {"StringEquals": {"aws:SourceAccount": [ACCOUNT]}},
    {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "444455556666"]}},
    {"StringLike": {"aws:SourceAccount": ["1111*"]}},
    {"StringNotEquals": {"aws:SourceAccount": ["444455556666"]}},
    {"StringEqualsIfExists": {"aws:SourceAccount": [ACCOUNT]}},
    {"StringEqualsIgnoreCase": {"s3:prefix": ["Home", "x"]}},
    {"StringLike": {"s3:prefix": ["h*", "H*"]}},
    {"Bool": {"aws:SecureTransport": ["true"]}},
    {"Bool": {"aws:SecureTransport": ["false"]}},
    {"Null": {"aws:SourceAccount": ["false"]}},
    {"Null": {"aws:SourceAccount": ["true"]}},
    {"NumericLessThan": {"s3:max-keys": ["10"]}},
    {"NumericGreaterThanEquals": {"s3:max-keys": ["10"]}},
    {"ForAllValues:StringEquals": {"events:source": ["a", "b"]}},
    {"ForAllValues:StringLike": {"events:source": ["a*"]}},
    {"ForAnyValue:StringEquals": {"events:source": ["a"]}},
    {"ForAllValues:StringEquals": {"events:source": ["a"]}, "Null": {"events:source": ["false"]}},
]

some = {"min_size": 1, "max_size": 2, "unique": True}


@st.composite
def statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Allow", "Deny")) -> Any:
    found: dict[str, Any] = {"Effect": draw(st.sampled_from(effects))}
    for element, choices in (("Action", ACTIONS), ("Resource", RESOURCES)):
        negated = draw(st.integers(0, 4)) == 0
        found[f"Not{element}" if negated else element] = draw(
            st.lists(st.sampled_from(choices), **some)
        )
    found["Principal"] = draw(st.sampled_from(PRINCIPALS))
    if condition := draw(st.sampled_from(CONDITIONS)):
        found["Condition"] = condition
    return found


policies = st.lists(statements(), max_size=4)
requests = st.builds(
    Request,
    st.sampled_from(["sqs:SendMessage", "sqs:DeleteQueue", "s3:GetObject", "s3:PutObject",
                     "iam:PassRole"]),
    st.sampled_from(["*", f"{QUEUE}orders", f"{QUEUE}orders-1", "arn:aws:sqs:eu-west-1:1:orders",
                     BUCKET, f"{BUCKET}/a", f"{BUCKET}/b", "arn:aws:s3:::b"]),
    st.sampled_from([f"arn:aws:iam::{ACCOUNT}:role/writer", f"arn:aws:iam::{ACCOUNT}:user/x",
                     "arn:aws:iam::444455556666:root", "events.amazonaws.com",
                     "sns.amazonaws.com"]),
    st.fixed_dictionaries(
        {},
        optional={
            "aws:SourceAccount": st.sampled_from([ACCOUNT, "444455556666", "1111x"]).map(
                lambda value: [value]
            ),
            "s3:prefix": st.sampled_from([["home"], ["HOME"], ["x"], [""]]),
            "aws:SecureTransport": st.sampled_from([["true"], ["false"]]),
            "s3:max-keys": st.sampled_from([["9"], ["10"], ["11"]]),
            "events:source": st.lists(st.sampled_from(["a", "ab", "b", "c"]), min_size=1,
                                      max_size=3, unique=True),
        },
    ),
)  # fmt: skip


def _read(encode: Encoder, given_statements: list[Any]) -> frozenset[Any]:
    reader = Reader(encode, ACCOUNT)
    reader.read({"Version": "2012-10-17", "Statement": given_statements}, needs_principal=True)
    assert not reader.unread
    return frozenset(reader.statements)


def _compare(
    before: list[Any],
    after: list[Any],
    before_boundary: list[Any] | None = None,
    after_boundary: list[Any] | None = None,
) -> Comparison:
    atoms = Atoms()
    encode = Encoder(atoms)
    sides = [
        Policies(_read(encode, own), None if bound is None else _read(encode, bound))
        for own, bound in ((before, before_boundary), (after, after_boundary))
    ]
    return compare(*sides, atoms=atoms)


def _request_of(witness: Witness) -> Request:
    principal = re.sub(r"AWS account (\d+)", r"arn:aws:iam::\1:root", witness.principal)
    spelled = {key.lower(): key for each in CONDITIONS for keys in each.values() for key in keys}
    context = {
        spelled[key.lower()]: [
            "" if each == "(empty)" else each for each in label.removeprefix("= ").split(" and ")
        ]
        for key, label in witness.conditions.items()
        if label != "absent"
    }
    return Request(witness.action, witness.resource, principal, context)


@given(policies, policies, st.lists(requests, min_size=5, max_size=20))
def test_a_verdict_agrees_with_single_requests(before, after, asked):
    found = _compare(before, after)
    assert found.verdict is not Verdict.UNKNOWN
    gained = [each for each in asked if _allows(after, each) and not _allows(before, each)]
    lost = [each for each in asked if _allows(before, each) and not _allows(after, each)]
    if found.verdict in (Verdict.EQUAL, Verdict.NARROWER):
        assert not gained
    if found.verdict is Verdict.EQUAL:
        assert not lost


@given(policies, policies)
def test_a_witness_is_a_request_that_proves_it(before, after):
    found = _compare(before, after)
    if found.verdict is Verdict.BROADER:
        assert found.witness is not None
        request = _request_of(found.witness)
        assert _allows(after, request)
        assert not _allows(before, request)
    if found.verdict is Verdict.NARROWER:
        assert found.witness is not None
        request = _request_of(found.witness)
        assert _allows(before, request)
        assert not _allows(after, request)


@given(policies, policies, policies, policies)
def test_a_boundary_takes_part(before, after, before_boundary, after_boundary):
    found = _compare(before, after, before_boundary, after_boundary)
    if found.verdict is Verdict.BROADER:
        assert found.witness is not None
        request = _request_of(found.witness)
        assert _allows(after, request, after_boundary)
        assert not _allows(before, request, before_boundary)


@given(policies)
def test_a_policy_is_equal_to_itself(policy):
    assert _compare(policy, list(reversed(policy))).verdict is Verdict.EQUAL


@given(policies, statements(effects=("Deny",)))
def test_a_deny_more_never_broadens(policy, denial):
    assert _compare(policy, [*policy, denial]).verdict in (Verdict.EQUAL, Verdict.NARROWER)
    assert _compare([*policy, denial], policy).verdict in (Verdict.EQUAL, Verdict.BROADER)


@given(policies, statements(effects=("Allow",)))
def test_an_allow_more_never_narrows(policy, grant):
    assert _compare(policy, [*policy, grant]).verdict in (Verdict.EQUAL, Verdict.BROADER)


@given(policies)
def test_a_policy_split_into_one_statement_an_action_is_equal(policy):
    split = [
        {**{k: v for k, v in each.items() if k not in ("Action", "Resource")},
         "Action": [action], "Resource": [resource]}
        for each in policy if "Action" in each and "Resource" in each
        for action in each["Action"] for resource in each["Resource"]
    ]  # fmt: skip
    split += [each for each in policy if "Action" not in each or "Resource" not in each]
    assert _compare(policy, split).verdict is Verdict.EQUAL


@given(policies, policies)
def test_two_ways_round_never_contradict(before, after):
    there, back = _compare(before, after).verdict, _compare(after, before).verdict
    assert (there, back) in {
        (Verdict.EQUAL, Verdict.EQUAL),
        (Verdict.NARROWER, Verdict.BROADER),
        (Verdict.BROADER, Verdict.NARROWER),
        (Verdict.BROADER, Verdict.BROADER),
    }


@pytest.mark.parametrize("condition", [each for each in CONDITIONS if each])
def test_a_dropped_condition_broadens(condition):
    statement = {"Effect": "Allow", "Action": ["sqs:*"], "Resource": ["*"], "Principal": "*"}
    kept = {**statement, "Condition": condition}
    assert _compare([kept], [statement]).verdict is Verdict.BROADER
    assert _compare([statement], [kept]).verdict is Verdict.NARROWER


# What is not known yet: parameters without a value.

PARAMETERS = ({"Ref": "P"}, {"Ref": "Q"})
OPEN_RESOURCES = [
    *RESOURCES[:5],
    *PARAMETERS,
    {"Fn::Join": ["", [{"Ref": "P"}, "/*"]]},
    {"Fn::Join": ["", [f"{BUCKET}-", {"Ref": "Q"}]]},
]
VALUES = [f"{QUEUE}orders", f"{QUEUE}orders-1", f"{BUCKET}/a", "b"]


def _filled(value: Any, given_values: dict[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return given_values[name]
        case {"Fn::Join": [_, parts]}:
            return "".join(_filled(part, given_values) for part in parts)
        case dict():
            return {key: _filled(each, given_values) for key, each in value.items()}
        case list():
            return [_filled(each, given_values) for each in value]
    return value


@st.composite
def open_statements(draw: st.DrawFn) -> Any:
    found = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])), "Principal": "*"}
    found["Action"] = draw(st.lists(st.sampled_from(ACTIONS), **some))
    negated = draw(st.integers(0, 3)) == 0
    resources = draw(st.lists(st.sampled_from(OPEN_RESOURCES), min_size=1, max_size=2))
    found["NotResource" if negated else "Resource"] = resources
    if draw(st.integers(0, 2)) == 0:
        operator = draw(st.sampled_from(["StringEquals", "StringNotEquals"]))
        value = draw(st.sampled_from(["a", "b", *PARAMETERS]))
        found["Condition"] = {operator: {"s3:prefix": [value]}}
    return found


open_policies = st.lists(open_statements(), max_size=3)
valuations = st.fixed_dictionaries({name: st.sampled_from(VALUES) for name in "PQ"})
open_requests = st.builds(
    Request,
    st.sampled_from(["sqs:SendMessage", "sqs:DeleteQueue", "s3:GetObject"]),
    st.sampled_from(["*", *(value for value in VALUES if ":" in value), f"{QUEUE}orders/x",
                     f"{BUCKET}-b", f"{BUCKET}/a/x"]),
    st.just("events.amazonaws.com"),
    st.fixed_dictionaries({}, optional={"s3:prefix": st.sampled_from(["a", "b", *VALUES]).map(
        lambda value: [value])}),
)  # fmt: skip


@given(open_policies, open_policies, st.lists(valuations, min_size=2, max_size=5),
       st.lists(open_requests, min_size=5, max_size=20))  # fmt: skip
def test_a_verdict_holds_whatever_parameters_are(before, after, values, asked):
    found = _compare(before, after)
    if found.verdict in (Verdict.EQUAL, Verdict.NARROWER):
        for each in values:
            old, new = _filled(before, each), _filled(after, each)
            assert not [r for r in asked if _allows(new, r) and not _allows(old, r)]
    if found.verdict is Verdict.BROADER and found.witness is not None:
        for each in values:
            old, new = _filled(before, each), _filled(after, each)
            request = _request_with(found.witness, each)
            assert _allows(new, request)
            assert not _allows(old, request)


def _request_with(witness: Witness, values: dict[str, str]) -> Request:
    def put(text: str) -> str:
        return text.replace("${P}", values["P"]).replace("${Q}", values["Q"])

    request = _request_of(witness)
    context = {key: [put(each) for each in found] for key, found in request.context.items()}
    return Request(request.action, put(request.resource), request.principal, context)


@given(open_policies)
def test_an_open_policy_is_equal_to_itself(policy):
    assert _compare(policy, list(reversed(policy))).verdict is Verdict.EQUAL
