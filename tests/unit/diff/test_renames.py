"""A logical id that changes is a removal and an addition that know of each other."""

from typing import Any

_TABLE = "AWS::DynamoDB::Table"


def stack(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def table(name: str = "", **more: Any) -> dict[str, Any]:
    named = {"TableName": name} if name else {}
    common = {
        "BillingMode": "PAY_PER_REQUEST",
        "TableClass": "STANDARD",
        "DeletionProtectionEnabled": True,
    }
    return {"Type": _TABLE, "Properties": {**common, **named}, **more}


def reasons(change: Any) -> str:
    return " ".join([*change.because, *(flag.because for flag in change.flags)])


def test_the_same_properties(changes):
    found = changes(stack(Old=table()), stack(New=table()))
    old, new = found["Old"], found["New"]
    assert (old.action, new.action) == ("remove", "add")
    assert "renamed to New" in reasons(old)
    assert "renamed from Old" in reasons(new)
    assert old.flag_names == ("data_loss",)
    assert new.flag_names == ()


def test_the_same_physical_name_though_little_else(changes):
    after = {"Type": _TABLE, "Properties": {"TableName": "t", "BillingMode": "PROVISIONED"}}
    found = changes(stack(Old=table("t")), stack(New=after))
    assert "renamed from Old" in reasons(found["New"])
    assert "TableName, so that making the new one fails" in reasons(found["New"])


def test_what_is_retained_can_be_imported(changes):
    kept = table("t", DeletionPolicy="Retain")
    found = changes(stack(Old=kept), stack(New=kept))
    assert found["Old"].flag_names == ()
    assert "import it under the new id" in reasons(found["New"])


def test_others_of_the_type_are_no_rename(changes):
    other = {"Type": _TABLE, "Properties": {"TableName": "x", "BillingMode": "PROVISIONED"}}
    found = changes(stack(Old=table("t")), stack(New=other))
    assert "renamed" not in reasons(found["Old"]) + reasons(found["New"])


def test_another_type_is_no_rename(changes):
    found = changes(
        stack(Old=table("t")), stack(New={**table("t"), "Type": "AWS::DynamoDB::GlobalTable"})
    )
    assert "renamed" not in reasons(found["Old"]) + reasons(found["New"])


def test_the_most_alike_are_paired(changes):
    before = stack(OldA=table("a"), OldB=table("b"))
    found = changes(before, stack(NewB=table("b"), NewA=table("a")))
    assert "renamed to NewA" in reasons(found["OldA"])
    assert "renamed to NewB" in reasons(found["OldB"])


def test_many_of_one_type_take_no_time(changes):
    """Two hundred against two hundred: names alone are compared."""
    before = stack(**{f"Old{n}": table(f"t{n}") for n in range(200)})
    after = stack(**{f"New{n}": table(f"t{n}") for n in range(200)})
    found = changes(before, after)
    assert all(f"renamed to New{n}:" in reasons(found[f"Old{n}"]) for n in range(200))


def test_dependants_of_a_renamed_resource_refer_to_another_one(changes):
    def subnet(vpc: str) -> dict[str, Any]:
        return {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": vpc}}}

    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    found = changes(stack(A=vpc, S=subnet("A")), stack(B=vpc, S=subnet("B")))
    assert "renamed from A" in reasons(found["B"])
    assert (found["S"].replacement, found["S"].certain) == ("always", True)
