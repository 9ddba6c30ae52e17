"""`tap lint` on templates of anybody."""

import json

GOOD = """\
Resources:
  Work:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
"""
ENDPOINT = """\
Resources:
  Entry:
    Type: AWS::Events::Endpoint
    Properties:
      EventBuses:
        - EventBusArn: !Sub arn:${AWS::Partition}:events:us-east-1:${AWS::AccountId}:event-bus/a
        - EventBusArn: !Sub arn:${AWS::Partition}:events:us-west-2:${AWS::AccountId}:event-bus/b
      ReplicationConfig: {State: DISABLED}
      RoutingConfig:
        FailoverConfig:
          Primary: {HealthCheck: arn:aws:route53:::healthcheck/c}
          Secondary: {Route: us-west-2}
"""


def test_a_good_template_is_silent(project):
    (project.path / "good.yaml").write_text(GOOD)
    done = project.tap("lint", "good.yaml")
    assert (done.returncode, done.stdout) == (0, "0 findings\n")


def test_our_rules_find_what_cfn_lint_does_not(project):
    (project.path / "bad.yaml").write_text(ENDPOINT)
    done = project.tap("lint", "--regions", "us-east-1,us-west-2", "bad.yaml")
    assert done.returncode == 1
    assert "error[E90" in done.stdout
    assert "bad.yaml Entry /Properties/EventBuses" in done.stdout


def test_json_says_where_and_what(project):
    (project.path / "bad.yaml").write_text(ENDPOINT)
    document = json.loads(project.tap("lint", "--format", "json", "bad.yaml").stdout)
    assert document["schema"] == "tap.lint/1"
    assert document["findings"][0]["logical_id"] == "Entry"


def test_a_file_that_is_not_there_is_a_usage_error(project):
    done = project.tap("lint", "absent.yaml")
    assert done.returncode == 64
    assert "error: absent.yaml: cannot be read: No such file or directory" in done.stderr


def test_what_is_no_template_is_a_finding(project):
    (project.path / "no.json").write_text("{")
    done = project.tap("lint", "no.json")
    assert done.returncode == 1
    assert "error[E0000]" in done.stdout


def test_what_is_not_utf8_is_a_finding(project):
    (project.path / "latin.yaml").write_bytes(b"Description: caf\xe9\n")
    done = project.tap("lint", "latin.yaml")
    assert done.returncode == 1
    assert "error[E0000] latin.yaml: is not UTF-8" in done.stdout


def test_regions_may_be_listed_with_spaces(project):
    (project.path / "good.yaml").write_text(GOOD)
    assert project.tap("lint", "--regions", "us-east-1, us-west-2", "good.yaml").returncode == 0


def test_a_region_without_schemas_is_refused(project):
    (project.path / "good.yaml").write_text(GOOD)
    done = project.tap("lint", "--regions", "us-esat-1", "good.yaml")
    assert done.returncode == 1
    assert "cannot be linted for us-esat-1" in done.stderr
    assert "Traceback" not in done.stderr
