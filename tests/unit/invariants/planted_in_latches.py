"""Faults of a calculated health check, and of the latch in it: see `unit.blocks.latched_pair`."""

from unit.invariants.planted import Planted, both, drop, parameter, put

_BOTH, _ENDPOINT, _LATCH = "BooksHealthCheck", "BooksEndpointCheck", "BooksLatchCheck"
_CONFIG = "HealthCheckConfig"
_CHILDREN = f"{_CONFIG}.ChildHealthChecks"


def _host(of: str, region: str) -> dict[str, str]:
    return {"Fn::Sub": f"${{{of}}}.execute-api.${{{region}}}.${{AWS::URLSuffix}}"}


def _third_child(template):
    """Let the check count one that is calculated itself."""
    resources = template["Resources"]
    resources["Nested"] = {
        "Type": "AWS::Route53::HealthCheck",
        "Properties": {
            _CONFIG: {
                "Type": "CALCULATED",
                "ChildHealthChecks": [{"Ref": _ENDPOINT}],
                "HealthThreshold": 1,
            }
        },
    }
    put(_BOTH, f"{_CHILDREN}.0", {"Ref": "Nested"})(template)


def _drop(logical_id, key):
    return lambda template: template["Resources"][logical_id]["Properties"][_CONFIG].pop(key)


PLANTED = (
    *(
        Planted(
            "TAP-OBJ-05", "dns", edit, logical_id=logical_id, says=says, remedy=remedy,
            path=f"/Properties/HealthCheckConfig/{path}",
        )
        for edit, logical_id, path, says, remedy in (
            (
                _third_child, _BOTH, "ChildHealthChecks",
                "counts Nested, which is calculated itself", "count the checks that it counts",
            ),
            (
                put(_BOTH, f"{_CHILDREN}.1", "abc"), _BOTH, "ChildHealthChecks",
                "counts abc, which is no health check of the system", "of this system",
            ),
            (
                put(_LATCH, f"{_CONFIG}.Disabled", value=True), _LATCH, "Disabled",
                "is disabled: to whoever counts it, it is the same", "take Disabled off",
            ),
            (
                put(_ENDPOINT, f"{_CONFIG}.Disabled", value=True), _ENDPOINT, "Disabled",
                "is disabled: to whoever counts it", "take Disabled off",
            ),
            (
                put(_BOTH, f"{_CONFIG}.HealthThreshold", 1), _BOTH, "HealthThreshold",
                "is healthy with 1 of the 2 checks", "set HealthThreshold to 2",
            ),
            (
                put(_BOTH, f"{_CONFIG}.HealthThreshold", 0), _BOTH, "HealthThreshold",
                "is healthy with 0 of the 2 checks", "set HealthThreshold to 2",
            ),
            (
                _drop(_BOTH, "HealthThreshold"), _BOTH, "HealthThreshold",
                "is healthy with None of the 2 checks", "set HealthThreshold to 2",
            ),
        )
    ),
    *(
        Planted("TAP-OBJ-06", "dns", edit, logical_id=logical_id, says=says, remedy=remedy)
        for edit, logical_id, says, remedy in (
            (
                both(
                    put(_BOTH, _CHILDREN, [{"Ref": _ENDPOINT}]),
                    put(_BOTH, f"{_CONFIG}.HealthThreshold", 1),
                ),
                _BOTH, "counts 0 checks that are inverted, the latch, not 1", "latched_name()",
            ),
            (
                _drop(_LATCH, "Inverted"), _BOTH,
                "counts 0 checks that are inverted, the latch, not 1", "latched_name()",
            ),
            (
                put(_ENDPOINT, f"{_CONFIG}.Inverted", value=True), _BOTH,
                "counts 0 checks that are not inverted, the endpoint of the primary, not 1",
                "latched_name()",
            ),
            (
                put(_LATCH, f"{_CONFIG}.Type", "HTTPS"), _LATCH,
                "is inverted, of type HTTPS", "HTTPS_STR_MATCH",
            ),
            (
                _drop(_LATCH, "SearchString"), _LATCH,
                "searches for nothing: any answer sets the latch", "SearchString",
            ),
            (
                put(
                    _LATCH, f"{_CONFIG}.FullyQualifiedDomainName",
                    _host("PrimaryApiId", "PrimaryRegion"),
                ),
                _LATCH, "which is no open GET route of an API in us-west-2 alone",
                "in the secondary region",
            ),
            (
                put(_LATCH, f"{_CONFIG}.ResourcePath", "/books"), _LATCH,
                "/books, which is no open GET route", "at an open route",
            ),
            (
                put(
                    _LATCH, f"{_CONFIG}.FullyQualifiedDomainName",
                    {"Fn::Sub": "api.${DomainName}"},
                ),
                _LATCH, "asks https://api.books.example.com/health", "the API's own host",
            ),
        )
    ),
    Planted(
        "TAP-OBJ-07",
        "dns",
        put(_ENDPOINT, f"{_CONFIG}.Regions", ["eu-west-1", "us-east-1", "us-west-1"]),
        logical_id=_ENDPOINT,
        says="asks us-east-1 from us-east-1 too: one checker of 3",
        remedy="take the primary region out",
    ),
    *(
        Planted("TAP-OBJ-04", "dns", edit, logical_id=logical_id, says=says)
        for edit, logical_id, says in (
            (put(_BOTH, f"{_CONFIG}.Inverted", value=True), _BOTH, "is inverted"),
            (put(_BOTH, f"{_CONFIG}.Disabled", value=True), _BOTH, "is disabled"),
            (put(_ENDPOINT, f"{_CONFIG}.Type", "TCP"), _ENDPOINT, "is of type TCP"),
            (
                put(
                    _ENDPOINT, f"{_CONFIG}.FullyQualifiedDomainName",
                    _host("SecondaryApiId", "SecondaryRegion"),
                ),
                _ENDPOINT, "which is no open GET route of an API in us-east-1 alone",
            ),
            (drop("BooksPrimaryRecord", "HealthCheckId"), "BooksPrimaryRecord", "never moves"),
        )
    ),
    *(
        Planted("TAP-OBJ-03", "dns", edit, at="", says=says)
        for edit, says in (
            (parameter("RecordTtl", MaxValue=60), "within 60 s, but failover takes 32 s"),
            (parameter("UnhealthyChecks", MaxValue=3), "takes 48 s (detection"),
            (put(_ENDPOINT, f"{_CONFIG}.RequestInterval", 30), "takes 72 s (detection"),
            (put(_BOTH, f"{_CONFIG}.HealthThreshold", 1), "takes ? s (detection"),
            (put(_ENDPOINT, f"{_CONFIG}.Disabled", value=True), "takes ? s (detection"),
            (put(_BOTH, f"{_CONFIG}.Inverted", value=True), "takes ? s (detection"),
        )
    ),
)  # fmt: skip
