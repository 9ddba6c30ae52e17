"""Start the engine with what is ours in it. See the package's docstring."""

import os
import sys

from tap_engine.originals import EngineChangedError, check_version


def main() -> None:
    """Check the engine, patch it, and serve until a signal ends it."""
    # Functions that run here get this environment: our folder is no business of theirs.
    os.environ.pop("PYTHONPATH", None)
    try:
        check_version()
        from ministack import app  # noqa: PLC0415 - after the check of its version

        from tap_engine import (  # noqa: PLC0415 - after the version is checked
            alarms,
            bus,
            checkers,
            conditions,
            control,
            copies,
            endpoints,
            function_urls,
            health,
            http_apis,
            invocation,
            machines,
            name_service,
            providers,
            rest_apis,
            servers,
            surroundings,
            tables,
        )
        from tap_engine.stacksets import actions  # noqa: PLC0415 - after the version is checked

        for part in (
            *(conditions, tables, invocation, bus, endpoints, alarms, machines, http_apis),
            *(rest_apis, health, checkers, name_service, function_urls, copies, servers),
            *(surroundings, providers, actions),
        ):
            part.install()
    except EngineChangedError as error:
        sys.exit(f"tap_engine: {error}")
    app.app = control.around(app.app)
    app.main()


if __name__ == "__main__":
    main()
