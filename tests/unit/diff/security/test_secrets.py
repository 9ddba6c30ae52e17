"""Planted secrets that must not be shown, and plain values that must."""

import pytest

from tap_templates.diff.security.secrets.masking import MASK, masked, masked_text

# Put together here, so that no scanner takes a test for a leak.
KEY_ID = "AKIA" + "IOSFODNN7" + "EXAMPLE"
STRIPE = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
TOKEN = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".c2ln"
PEM = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n-----END " + "RSA PRIVATE KEY-----"
DSN = "postgres://app:" + "hunter2" + "@db.example:5432/orders"
FORTY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
ENVIRONMENT = ("Properties", "Environment", "Variables")


@pytest.mark.parametrize("secret", [KEY_ID, STRIPE, TOKEN, PEM, DSN, FORTY])
def test_a_secret_is_told_by_its_form(secret):
    shown = masked(secret, (*ENVIRONMENT, "SETTING"))
    assert MASK in shown
    assert secret not in shown
    nested = masked({"Variables": {"A": [f"x {secret} y"]}}, ("Properties",))
    assert secret not in str(nested)
    assert secret not in masked_text(f"it was {secret} before")


def test_of_a_url_the_password_alone_is_masked():
    assert masked(DSN, ("Properties", "Url")) == f"postgres://{MASK}@db.example:5432/orders"


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "password", "ApiKey", "API_TOKEN", "ClientSecret", "MasterUserPassword",
             "AuthToken", "SecretString", "private_key", "DB_PWD"]
)  # fmt: skip
def test_a_secret_is_told_by_its_name(name):
    assert masked("plain", (*ENVIRONMENT, name)) == MASK
    assert masked({name: "plain"}, ENVIRONMENT) == {name: MASK}
    assert masked([{"Name": name, "Value": "plain"}], ("Environment",)) == [
        {"Name": name, "Value": MASK}
    ]


def test_the_name_beside_a_value_tells():
    raw = {"Properties": {"Environment": [{"Name": "DB_PASSWORD", "Value": "plain"}]}}
    path = ("Properties", "Environment", "0", "Value")
    assert masked("plain", path, within=raw) == MASK
    assert masked("plain", path, within={"Properties": {"Environment": [{"Name": "A"}]}}) == "plain"


def test_parameters_by_their_name_and_by_noecho():
    assert masked("plain", ("Default",), name="DbPassword") == MASK
    assert masked("plain", ("Default",), name="Suffix") == "plain"
    assert masked({"Type": "String", "Default": {"Tap::Secret": "d"}}, ()) == {
        "Type": "String", "Default": MASK,
    }  # fmt: skip


PLAIN = [
    ((*ENVIRONMENT, "TABLE_NAME"), "orders-dev"),
    ((*ENVIRONMENT, "SECRET_ARN"), "arn:aws:secretsmanager:us-east-1:1:secret:db-AbCdEf"),
    ((*ENVIRONMENT, "TOKEN_URL"), "https://id.example/token"),
    (("Properties", "ManageMasterUserPassword"), True),
    (("Properties", "ManageMasterUserPassword"), "true"),
    (("Properties", "MasterUserPassword"), "{{resolve:secretsmanager:db:SecretString:password}}"),
    (("Properties", "MasterUserPassword"), {"Ref": "Password"}),
    (("Properties", "Tags"), [{"Key": "team", "Value": "data"}]),
    (("Properties", "PolicyDocument"), {"Action": ["secretsmanager:GetSecretValue"]}),
    (("Properties", "Code", "S3Key"), "market-ingestion-0123456789abcdef.zip"),
    (("Properties", "Description"), "0123456789abcdef0123456789abcdef01234567"),
    (("Properties", "BackupRetentionPeriod"), 7),
]


@pytest.mark.parametrize(("path", "value"), PLAIN)
def test_what_is_no_secret_is_shown(path, value):
    assert masked(value, path) == value
