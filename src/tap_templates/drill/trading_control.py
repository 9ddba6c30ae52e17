"""The negative control of trading-dr: the same failover without its replay.

The live code of the replayer gets a door-keeper in front of it, in both regions. It lets through
what prepares the database, and answers replay, sweep and reconciliation as if there were nothing to
do: a drill that does not find orders missing then would find none missing ever.
"""

import io
import zipfile

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.place import Place
from tap_templates.model.names import Kind

_HANDLER = "without_replay.handler"
_CODE = '''"""The replayer of orders, without its replay: for the negative control of a drill."""

import importlib

_real = importlib.import_module("{module}").{function}
_NOTHING = {{"done": True, "applied": 0, "restored": 0, "acknowledged": 0, "missing": 0}}


def handler(event, context):
    if event.get("operation") in ("replay", "sweep", "reconcile"):
        return _NOTHING
    return _real(event, context)
'''


def without_replay(package: bytes, handler: str) -> bytes:
    """Put the door-keeper into a package whose own handler is named as Lambda does."""
    module, _, function = handler.rpartition(".")
    into = io.BytesIO(package)
    with zipfile.ZipFile(into, "a") as archive:
        archive.writestr("without_replay.py", _CODE.format(module=module, function=function))
    return into.getvalue()


def leave_out_replay(place: Place, wire: Wire, package: bytes) -> None:
    """Let the replayer of both regions replay nothing from now on."""
    name = place.name(Kind.FUNCTION, "order-replayer")
    for region in (place.primary, place.secondary):

        def change(operation: str, region: str = region, **request: object) -> dict[str, object]:
            answer: dict[str, object] = wire.call(
                region, "lambda", operation, FunctionName=name, **request
            )
            return answer

        own = str(change("get_function_configuration")["Handler"])
        change("update_function_code", ZipFile=without_replay(package, own))
        change("update_function_configuration", Handler=_HANDLER)
        version = change("publish_version")["Version"]
        change("update_alias", Name="live", FunctionVersion=version)
