"""Logs in to a database as its master, whose login is a secret."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aurora_access.connecting import Database, opener
from aurora_access.settings import SECRET, Settings

# A step may take long and wait for locks; the lock of another run is waited for the longest.
_SESSION = "-c statement_timeout=0 -c lock_timeout=60000"


def as_master(
    get_secret_value: Callable[..., Mapping[str, Any]],
    environment: Mapping[str, str],
    *,
    secret: str,
    application: str,
) -> Callable[[], Database]:
    """Make the function that connects; it reads the login each time: it may have been rotated."""

    def connect() -> Database:
        login = json.loads(get_secret_value(SecretId=secret)["SecretString"])
        settings = Settings.of({**environment, "DB_USER": login["username"], "DB_AUTH": SECRET})
        return Database(
            opener(
                settings.parameters(),
                lambda: str(login["password"]),
                application=application,
                session=_SESSION,
            )
        )

    return connect
