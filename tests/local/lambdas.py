"""A function as templates for the engine declare it."""

ANY_ROLE = "arn:aws:iam::123456789012:role/any"


def live_function(name, code, role=ANY_ROLE, **more):
    """A function in Python, its version and the alias `live`: `Function`, `Version`, `Alias`."""
    function = {"Ref": "Function"}
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": name,
                "Code": {"ZipFile": code},
                "Handler": "index.handler",
                "Runtime": "python3.14",
                "Role": role,
                **more,
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": function}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": function,
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
    }
