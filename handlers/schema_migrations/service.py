"""One request of CloudFormation, from event to answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aurora_access.connecting import Database
from schema_migrations.core import Migration, MigrationRefusedError
from schema_migrations.custom_resource import NotAnsweredError, Request
from schema_migrations.runner import MigrationFailedError, Result, migrate

# Of the time that is left, what the answer needs: four attempts of 5 s, and their pauses.
ANSWER_SECONDS = 30.0
_LEAST_SECONDS = 5.0


class Told(Protocol):
    """What is told of a run: the watch of a function."""

    def say(
        self,
        message: str,
        *,
        error: object = None,
        version: str | None = None,
        count: int | None = None,
    ) -> None:
        """Write a log line."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a metric that counts."""


class Schema:
    """The schema of one database."""

    def __init__(
        self,
        connect: Callable[[], Database],
        migrations: Sequence[Migration],
        put: Callable[[str, bytes], None],
        watch: Told,
        *,
        physical_id: str,
    ) -> None:
        self._connect = connect
        self._migrations = migrations
        self._put = put
        self._watch = watch
        self._physical_id = physical_id

    def __call__(self, event: Mapping[str, Any], seconds_left: float) -> None:
        """Do what is asked and answer it; raise NotAnsweredError if CloudFormation is not reached.

        A failure is an answer as well. Deleting the resource leaves the schema and its data.
        """
        request = Request.of(event, self._physical_id)
        try:
            body = request.success(self._do(request, seconds_left))
        except (MigrationFailedError, MigrationRefusedError) as error:
            self._watch.count("MigrationsFailed")
            self._watch.say("schema not changed", error=type(error).__name__)
            body = request.failure(f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - unanswered, the stack would wait for an hour
            self._watch.count("MigrationsFailed")
            self._watch.say("schema not changed", error=type(error).__name__)
            body = request.failure(f"unexpected {type(error).__name__}")
        try:
            self._put(request.url, body)
        except NotAnsweredError:
            self._watch.count("AnswersNotSent")
            raise

    def _do(self, request: Request, seconds_left: float) -> Mapping[str, str]:
        if request.kind == "Delete":
            self._watch.say("schema kept")
            return {}
        if request.kind not in ("Create", "Update"):
            raise MigrationRefusedError("RequestType is neither Create nor Update nor Delete")
        seconds = seconds_left - ANSWER_SECONDS
        if seconds < _LEAST_SECONDS:
            raise MigrationFailedError("the function has too little time left")
        database = self._connect()
        try:
            result = migrate(
                database,
                self._migrations,
                seconds=seconds,
                say=lambda name: self._watch.say("schema step applied", version=name),
            )
        finally:
            database.drop()
        return self._told(result)

    def _told(self, result: Result) -> Mapping[str, str]:
        self._watch.count("MigrationsApplied", len(result.applied))
        self._watch.say("schema on standby" if result.is_standby else "schema ready")
        return {
            "Version": str(result.version),
            "Applied": str(len(result.applied)),
            "Standby": "true" if result.is_standby else "false",
        }
