"""The permission of a function, read as the statement that Lambda makes of it."""

from tap_templates.iam.effective import Admission
from tap_templates.iam.needs import condition
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located, SystemView

# Properties of a permission to the operator and the key of the condition they stand for.
_CLAUSES = {
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
    "SourceArn": ("ArnLike", "aws:SourceArn"),
}


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_permission(view: SystemView, located: Located) -> Admission:
    """Read a permission as the statement that Lambda makes of it."""
    properties = located.resource.properties
    name = str(properties.get("FunctionName"))
    if not name.startswith("arn:"):
        name = (
            f"arn:{view.partition}:lambda:{located.stack.region}:{view.account}:function:"
            f"{bare_name(name)}"
        )
    known = {"Action", "FunctionName", "Principal"}
    clauses = [
        (*_CLAUSES.get(key, ("StringEquals", f"aws:{key}")), [_spelled(value)])
        for key, value in properties.items()
        if key not in known
    ]
    principal = str(properties.get("Principal"))
    return Admission(
        "Service" if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS",
        principal,
        (str(properties.get("Action")),),
        (name,),
        condition(*clauses),
        located,
        "/Properties",
    )
