"""Read a stack of the tests back, as a rollout does."""

import json

from tap_templates.local import readback
from tap_templates.rendered.resolve import resolve_stack


def problems(made, region, body, **parameters):
    """Compare what a stack set made in a region with a template."""
    resolved = resolve_stack(
        json.loads(body),
        stack="read",
        region=region,
        parameters=parameters,
        account=made.account,
    )
    return list(readback.check_stack(made.clients, made.instance(region)["StackId"], resolved))


def spoiled(body, name, change):
    """Give a template with other properties of one resource."""
    template = json.loads(body)
    template["Resources"][name]["Properties"] |= change
    return json.dumps(template)
