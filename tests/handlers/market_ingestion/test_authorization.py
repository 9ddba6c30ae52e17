"""Who may send events: nobody in doubt."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_ingestion.authorization import Authorization

ISSUER, AUDIENCE = "https://issuer.example/", "market"
ABSENT = object()
by_token = Authorization(mode="JWT", issuer=ISSUER, audience=AUDIENCE)
by_signature = Authorization(mode="IAM")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def with_claims(now, **claims):
    said = {"iss": ISSUER, "aud": AUDIENCE, "exp": str(int(now.timestamp()) + 60), **claims}
    kept = {name: value for name, value in said.items() if value is not ABSENT}
    return {"requestContext": {"authorizer": {"jwt": {"claims": kept}}}}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": [AUDIENCE]},
        {"aud": ["other", AUDIENCE]},
        {"aud": f"[{AUDIENCE}]"},
        {"aud": f"[other {AUDIENCE}]"},
        {"aud": ABSENT, "client_id": AUDIENCE},
        {"client_id": "other"},
        {"exp": 99999999999},
    ],
)
def test_a_caller_with_a_token_for_us_is_admitted(now, claims):
    assert by_token.admits(with_claims(now, **claims), now)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ABSENT},
        {"iss": "https://issuer.example"},
        {"iss": [ISSUER]},
        {"iss": {ISSUER: 1}},
        {"iss": None},
        {"aud": ABSENT},
        {"aud": "other"},
        {"aud": f"{AUDIENCE}s"},
        {"aud": f"other {AUDIENCE}"},
        {"aud": ["other"]},
        {"aud": [AUDIENCE, 1]},
        {"aud": [[AUDIENCE]]},
        {"aud": {AUDIENCE: AUDIENCE}},
        {"aud": "[]"},
        {"aud": None, "client_id": AUDIENCE},
        {"aud": "other", "client_id": AUDIENCE},
        {"aud": ABSENT, "client_id": [AUDIENCE]},
        {"aud": ABSENT, "client_id": f"[{AUDIENCE}]"},
        {"exp": ABSENT},
        {"exp": None},
        {"exp": ""},
        {"exp": "never"},
        {"exp": "1e99"},
        {"exp": "9" * 5000},
        {"exp": "\u0661" * 11},
        {"exp": True},
        {"exp": 1e99},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": [99999999999]},
        {"exp": "0"},
        {"exp": -1},
    ],
)
def test_any_other_claims_are_refused(now, claims):
    assert not by_token.admits(with_claims(now, **claims), now)


def test_a_token_ends_at_the_second_it_says(now):
    second = int(now.timestamp())
    assert not by_token.admits(with_claims(now, exp=str(second)), now)
    assert by_token.admits(with_claims(now, exp=str(second + 1)), now)


@pytest.mark.parametrize(
    "authorizer", [None, {}, [], "iam", {"iam": None}, {"iam": {}}, {"iam": "x"}, {"jwt": {"x": 1}}]
)
def test_without_a_signature_nobody_is_admitted(now, authorizer):
    assert not by_signature.admits({"requestContext": {"authorizer": authorizer}}, now)


def test_a_caller_with_a_signature_is_admitted_where_signatures_are_asked_for(now):
    signed = {"requestContext": {"authorizer": {"iam": {"userArn": "arn"}}}}
    assert by_signature.admits(signed, now)
    assert not by_token.admits(signed, now)
    assert not by_signature.admits(with_claims(now), now)


@given(request=json_values, part=st.sampled_from(["requestContext", "authorizer", "jwt", "claims"]))
def test_any_other_context_is_refused(request, part):
    now = datetime(2026, 11, 20, tzinfo=UTC)
    shapes = {
        "requestContext": {"requestContext": request},
        "authorizer": {"requestContext": {"authorizer": request}},
        "jwt": {"requestContext": {"authorizer": {"jwt": request}}},
        "claims": {"requestContext": {"authorizer": {"jwt": {"claims": request}}}},
    }
    assert not by_token.admits(request, now)
    assert not by_token.admits(shapes[part], now)


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": ""},
        {"mode": "NONE"},
        {"mode": "jwt", "issuer": ISSUER, "audience": AUDIENCE},
        {"mode": "JWT"},
        {"mode": "JWT", "issuer": ISSUER},
        {"mode": "JWT", "audience": AUDIENCE},
    ],
)
def test_a_way_that_is_not_closed_does_not_start(settings):
    with pytest.raises(ValueError, match=r"^AUTHORIZATION is "):
        Authorization(**settings)
