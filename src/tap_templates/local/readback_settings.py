"""How settings are read back: by their name, from their region."""

from collections.abc import Mapping

from tap_templates.local.readback_compare import Check, Place, Properties, differences, only


def _setting(place: Place, properties: Properties) -> list[str]:
    found = place.client("ssm").get_parameter(Name=place.id)["Parameter"]
    return differences(only(properties, "Name", "Type", "Value"), found)


CHECKS: Mapping[str, Check] = {"AWS::SSM::Parameter": _setting}
