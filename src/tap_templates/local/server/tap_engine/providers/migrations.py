"""Custom::SchemaMigration: its function runs where a driver has a database for it, else nothing.

Where nothing runs, the version that the schema is at says so: templates put it out.
"""

from ministack.services.cloudformation import provisioners

from tap_engine import servers
from tap_engine.providers import placeholders
from tap_engine.providers.provider import Made, Properties, Provider

_TYPE = "Custom::SchemaMigration"
_NO_SCHEMA = {"Version": "not simulated"}
(_nothing,) = (each for each in placeholders.PROVIDERS if each.type == _TYPE)


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    if not servers.behind(properties["ServiceToken"]):
        return _nothing.create(logical_id, properties, stack)[0], dict(_NO_SCHEMA)
    made: Made = provisioners._custom_resource_create(logical_id, properties, stack, _TYPE)
    return made


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    if not servers.behind(new["ServiceToken"]):
        return _nothing.update(physical_id, old, new, stack, lid)[0], dict(_NO_SCHEMA)
    made: Made = provisioners._custom_resource_update(
        physical_id, old, new, stack, logical_id=lid, resource_type=_TYPE
    )
    return made


# Deleting it leaves the schema and its data: the function is not asked.
PROVIDERS = (Provider(type=_TYPE, create=_create, update=_update, delete=_nothing.delete),)
