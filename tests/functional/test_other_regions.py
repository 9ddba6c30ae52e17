"""The same system for another pair of regions, by option or by environment variable."""

import json

import pytest

PAIR = "ap-southeast-1,ap-southeast-2"


def manifest(project, folder):
    return json.loads((project.path / "build" / folder / "tiny" / "manifest.json").read_text())


@pytest.mark.parametrize("by", ["option", "variable"])
def test_another_pair_compiles_beside_the_committed_one(project, by):
    project.tap("templates")
    before = {path: body for path, body in project.tree().items() if "build/templates" in path}
    done = (
        project.tap("templates", "--regions", PAIR)
        if by == "option"
        else project.tap("templates", TAP_REGIONS=PAIR)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = "regions/ap-southeast-1+ap-southeast-2"
    assert f"wrote build/{folder}/tiny/manifest.json" in done.stdout
    assert manifest(project, folder)["regions"] == {
        "primary": "ap-southeast-1",
        "secondary": "ap-southeast-2",
    }
    assert manifest(project, folder)["stacks"][0]["regions"] == PAIR.split(",")
    # Templates name no region: only the manifest differs.
    alerts = "tiny/alerts.json"
    after = project.tree()
    assert after[f"build/{folder}/{alerts}"] == after[f"build/templates/{alerts}"]
    assert {path: body for path, body in after.items() if path in before} == before


@pytest.mark.parametrize(
    ("regions", "says"),
    [
        ("eu-west-1", "are not two or three different regions"),
        ("eu-west-1,eu-west-1", "are not two or three different regions"),
        ("a,b,c,d", "are not two or three different regions"),
        ("eu-west-1,eu-west-9", "name 'eu-west-9', of which no resource type is known"),
        ("eu-west-1,../x", "name '../x', of which no resource type is known"),
    ],
)
def test_what_are_no_regions_is_refused(project, regions, says):
    done = project.tap("templates", "--regions", regions)
    assert done.returncode == 64
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.tree()


def test_a_type_that_a_region_lacks_is_refused_with_the_reason(project):
    project.edit(
        "    return stack\n\n\nTINY",
        "    stack.add(codestar.GitHubRepository('Repository', RepositoryName='x', "
        "RepositoryOwner='x'))\n    return stack\n\n\nTINY",
    )
    project.edit("from troposphere import Ref", "from troposphere import Ref, codestar")
    done = project.tap("check", "--regions", "eu-west-1,mx-central-1")
    assert done.returncode == 1
    assert "AWS::CodeStar::GitHubRepository" in done.stdout
    assert "mx-central-1" in done.stdout


def test_a_system_with_a_witness_needs_a_third_region(project):
    project.edit('secondary="eu-central-1")', 'secondary="eu-central-1", witness="eu-west-3")')
    done = project.tap("check", "--regions", PAIR)
    assert done.returncode == 64
    assert "needs a third region" in done.stderr
    assert f"--regions {PAIR},WITNESS" in done.stderr
    assert project.tap("check", "--regions", f"{PAIR},ap-south-1").returncode == 0
