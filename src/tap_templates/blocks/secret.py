"""Block: the master user of a database, whose password nobody has seen, in both regions.

A secret of our own: RDS's managed master secrets do not work with a global database
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html).

It is encrypted with `aws/secretsmanager`, not with a key of ours: that key exists in every region
and serves this account's principals through Secrets Manager only, so that the replica needs no key
to be made in the other region before the secret. Who reads it is said by their roles alone.
"""

import json
from dataclasses import dataclass

from awacs import aws
from awacs import secretsmanager as actions
from troposphere.secretsmanager import GenerateSecretString, ReplicaRegion
from troposphere.secretsmanager import Secret as SecretResource

from tap_templates.blocks.policy import allow
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import Kind, Name

PASSWORD_LENGTH = 40  # RDS takes 8 to 41 for Aurora
# RDS refuses the first three; the others mean something in a shell or a connection string.
_EXCLUDED = "\"/@\\'`$ ;:?&%#"
_RANDOM = "-??????"  # what Secrets Manager puts behind the name in the ARN


@dataclass(frozen=True, slots=True)
class Secret:
    """The typed reference to the credentials of a master user, alike in both regions."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.SECRET, self.purpose).text()

    @property
    def arn(self) -> Text:
        """The ARN in one's own region as a pattern: AWS ends it with six characters of its own."""
        return sub(arn_text("secretsmanager", f"secret:{self.name}{_RANDOM}"))

    @property
    def username(self) -> Text:
        return self._field("username")

    @property
    def password(self) -> Text:
        return self._field("password")

    def read(self) -> aws.Statement:
        """Grant reading the credentials in one's own region, through a stack that made them or not.

        The six characters are not known outside of the stack that makes the secret; the name in
        front of them has only one secret.
        """
        return allow("ReadMasterSecret", [actions.GetSecretValue], [self.arn])

    def _field(self, name: str) -> Text:
        """Refer to a field; CloudFormation puts the value in when it calls the service."""
        return sub(f"{{{{resolve:secretsmanager:{self.name}:SecretString:{name}}}}}")


def master_secret(
    title: str, reference: Secret, *, username: str, copied_to: Text, describes: str
) -> SecretResource:
    """Declare credentials with a generated password, and their copy in the region `copied_to`."""
    return SecretResource(
        f"{title}Secret",
        Name=sub(reference.name),
        Description=describes,
        GenerateSecretString=GenerateSecretString(
            SecretStringTemplate=json.dumps({"username": username}),
            GenerateStringKey="password",
            PasswordLength=PASSWORD_LENGTH,
            ExcludeCharacters=_EXCLUDED,
            RequireEachIncludedType=True,
        ),
        ReplicaRegions=[ReplicaRegion(Region=copied_to)],
    )
