"""Where the database is and how to log in: read from the environment, checked once, at the start.

A function that would talk to its database in the open, or without a login, does not start.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

IAM = "iam"
NONE = "none"  # a server that trusts everyone: for tests alone
SECRET = "secret"  # noqa: S105 - the name of a way, not a password
_WAYS = (IAM, NONE, SECRET)
_TLS = ("require", "verify-full", "disable")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class Tokens(Protocol):
    """The call of boto3's RDS client that is used. It signs; nothing is sent."""

    def generate_db_auth_token(self, DBHostname: str, Port: int, DBUsername: str) -> str:  # noqa: N803 - boto3's names
        """Make a password that is valid for 15 minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One database. Raises ValueError for what is not closed; the text names variables only."""

    host: str
    port: int
    name: str
    user: str
    auth: str
    tls: str
    root_certificate: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], at: str = "") -> "Settings":
        """Read DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_AUTH, DB_SSL and DB_SSL_ROOT_CERT.

        `at` begins the variables of another host that is logged in to alike, such as
        OTHER_DB_HOST; where it has no port of its own, the port is the same.
        """
        host = f"{at}DB_HOST"
        missing = [name for name in (host, "DB_NAME", "DB_USER") if not environment.get(name)]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be set")
        port = environment.get(f"{at}DB_PORT") or environment.get("DB_PORT", "5432")
        if not _PORT.fullmatch(port):
            raise ValueError("DB_PORT is no port")
        settings = cls(
            host=environment[host],
            port=int(port),
            name=environment["DB_NAME"],
            user=environment["DB_USER"],
            auth=environment.get("DB_AUTH", IAM),
            tls=environment.get("DB_SSL", "require"),
            root_certificate=environment.get("DB_SSL_ROOT_CERT"),
        )
        settings.check(in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment)
        return settings

    def check(self, *, in_lambda: bool) -> None:
        """Refuse ways that are open; a function in Lambda has no open way at all."""
        if self.auth not in _WAYS:
            raise ValueError("DB_AUTH is neither iam nor secret nor none")
        if self.tls not in _TLS:
            raise ValueError("DB_SSL is neither require nor verify-full nor disable")
        if in_lambda and self.auth == NONE:
            raise ValueError("DB_AUTH=none is for tests, not for a function")
        if self.tls == "disable" and (in_lambda or self.auth != NONE):
            raise ValueError("DB_SSL=disable would send a password in the open")
        if self.tls == "verify-full" and not self.root_certificate:
            raise ValueError("DB_SSL=verify-full needs DB_SSL_ROOT_CERT")

    def parameters(self) -> dict[str, str | int]:
        """Write what libpq is told, less the password."""
        said: dict[str, str | int] = {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "sslmode": self.tls,
            "gssencmode": "disable",  # one round trip less
        }
        if self.root_certificate:
            said["sslrootcert"] = self.root_certificate
        return said


def password_by_iam(rds: Tokens, settings: Settings) -> Callable[[], str | None]:
    """Make each connection's password: a token of IAM (`rds-db:connect`), unless none is asked."""
    if settings.auth == NONE:
        return lambda: None
    return lambda: rds.generate_db_auth_token(
        DBHostname=settings.host, Port=settings.port, DBUsername=settings.user
    )
