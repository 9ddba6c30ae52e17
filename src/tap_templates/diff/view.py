"""One template in one region, evaluated and normalised on demand."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tap_templates.diff import documented
from tap_templates.diff.evaluate import Evaluator
from tap_templates.diff.mentions import mentions
from tap_templates.diff.model import Resource, Template
from tap_templates.diff.normalise import Normaliser
from tap_templates.diff.policies import as_set
from tap_templates.diff.schemas import Schema, schema_of
from tap_templates.diff.values import ABSENT, call_of, references, text_parts

# What cfn-init does on a machine is no remark.
_METADATA: Final = ("AWS::CloudFormation::Init", "AWS::CloudFormation::Authentication")
_ATTRIBUTES: Final = frozenset({"Type", "Properties", "Condition", "Metadata", "DependsOn"})


class View:
    """A `StackView`; its region may be None, which is any region."""

    def __init__(self, template: Template, region: str | None) -> None:
        self.template = template
        self.path = template.path
        self.region = region or ""
        self.manifest = template.manifest
        self._evaluator = Evaluator(template, region)
        self._raw: Mapping[str, Any] = {
            name: each
            for name, each in template.body.get("Resources", {}).items()
            if isinstance(each, Mapping)
        }
        self._existing: dict[str, Any] = {}
        self._evaluated: dict[str, tuple[Any, Any]] = {}
        self._resources: dict[str, Resource] = {}
        self._outputs: dict[str, Any] = {}
        self._mentions: dict[str, frozenset[str]] = {}

    def ids(self) -> Iterable[str]:
        """List the logical ids of resources that exist here, or may."""
        return [name for name in self._raw if self.existence(name) is not False]

    def existence(self, logical_id: str) -> Any:
        """Give True, False, or the condition under which a resource exists."""
        if logical_id not in self._raw:
            return False
        if logical_id not in self._existing:
            self._existing[logical_id] = self._evaluator.exists(self._raw[logical_id])
        return self._existing[logical_id]

    def raw(self, logical_id: str) -> Mapping[str, Any]:
        """Give a resource as the template has it."""
        found: Mapping[str, Any] = self._raw[logical_id]
        return found

    def mentions(self, name: str) -> frozenset[str]:
        """Give all names in the text of a resource's properties, or of output `Outputs/X`."""
        if name not in self._mentions:
            section, _, output = name.partition("/")
            raw = self.template.body.get(section, {}).get(output) if output else self._raw[name]
            piece = raw if output else raw.get("Properties")
            self._mentions[name] = frozenset(mentions(piece))
        return self._mentions[name]

    def evaluated(self, logical_id: str) -> tuple[Any, Any]:
        """Give a resource's properties and its other attributes, not yet normalised."""
        if logical_id not in self._evaluated:
            raw = self._raw[logical_id]
            properties: Any = self._evaluator.value(raw.get("Properties") or {})
            if not isinstance(properties, Mapping) or call_of(properties):
                properties = {"": properties}  # an Fn::Transform in place of all of them
            self._evaluated[logical_id] = (properties, self._attributes(logical_id, properties))
        return self._evaluated[logical_id]

    def resource(self, logical_id: str) -> Resource | None:
        """Give a resource; None if there is none, or its condition is false here."""
        if self.existence(logical_id) is False:
            return None
        if logical_id not in self._resources:
            raw = self._raw[logical_id]
            properties, attributes = self.evaluated(logical_id)
            normaliser = Normaliser(raw["Type"], self.schema(logical_id), self._partition)
            self._resources[logical_id] = Resource(
                logical_id=logical_id,
                type=raw["Type"],
                properties=normaliser.properties(properties),
                attributes=attributes,
                raw=raw,
                certain=self.existence(logical_id) is True,
            )
        return self._resources[logical_id]

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Iterate over the resources of these types, by logical id."""
        for logical_id in sorted(self.ids()):
            if self._raw[logical_id]["Type"] in types:
                found = self.resource(logical_id)
                if found is not None:
                    yield found

    def value(self, raw: Any) -> Any:
        """Evaluate any piece of this template into its canonical form."""
        return self._evaluator.value(raw)

    def target(self, value: Any) -> Resource | None:
        """Give the resource that a canonical reference means; None for anything else."""
        parts = text_parts(value)
        found = list(references(parts[0])) if len(parts) == 1 and call_of(parts[0]) else []
        is_one = len(found) == 1 and call_of(parts[0]) in {"Ref", "Fn::GetAtt"}
        return self.resource(found[0].name) if is_one else None

    def schema(self, logical_id: str) -> Schema | None:
        """Give the schema of a resource's type, if there is one."""
        return schema_of(self._raw[logical_id]["Type"])

    def output(self, name: str) -> Any:
        """Give an output's canonical Value, Export and Description; `ABSENT` if it is not here."""
        if name not in self._outputs:
            raw = self.template.body.get("Outputs", {}).get(name)
            holds = self._evaluator.exists(raw) if isinstance(raw, Mapping) else False
            if holds is False or not isinstance(raw, Mapping):
                self._outputs[name] = ABSENT
            else:
                found = {k: self.value(each) for k, each in raw.items() if k != "Condition"}
                self._outputs[name] = found if holds is True else {**found, "Condition": holds}
        return self._outputs[name]

    def condition(self, name: str) -> Any:
        """Give True, False, or the expression a condition comes down to."""
        return self._evaluator.condition(name)

    def knows_parameter(self, name: str) -> bool:
        """Tell whether a declared parameter has a value: the manifest's or a default."""
        return bool(self._evaluator.parameter(name) != {"Ref": name})

    @property
    def _partition(self) -> str:
        found = self._evaluator.value({"Ref": "AWS::Partition"})
        return found if isinstance(found, str) else "aws"

    def _attributes(self, logical_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        raw = self._raw[logical_id]
        found = {
            key: self._evaluator.value(each) for key, each in raw.items() if key not in _ATTRIBUTES
        }
        for name, policy in default_policies(raw["Type"], properties).items():
            found.setdefault(name, policy)  # said or not, it is the same
        metadata = raw.get("Metadata")
        if isinstance(metadata, Mapping) and any(key in metadata for key in _METADATA):
            found["Metadata"] = {
                key: self._evaluator.value(metadata[key]) for key in _METADATA if key in metadata
            }
        depends = raw.get("DependsOn")
        if depends:
            implied = {each.name for each in references(properties)}
            listed = depends if isinstance(depends, list) else [depends]
            rest = [each for each in listed if each not in implied]
            if rest:
                found["DependsOn"] = as_set(rest, unique=True)
        if self.existence(logical_id) is not True:
            found["Condition"] = self.existence(logical_id)
        return found


def default_policies(resource_type: str, properties: Mapping[str, Any]) -> dict[str, str]:
    """Give what DeletionPolicy and UpdateReplacePolicy are if a resource does not say."""
    is_database = resource_type == "AWS::RDS::DBCluster" or (
        resource_type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" not in properties
    )
    return {
        "DeletionPolicy": "Snapshot" if is_database else "Delete",
        "UpdateReplacePolicy": "Delete",
    }


def is_stateful(resource_type: str) -> bool:
    """Tell whether losing a resource of this type loses data."""
    return resource_type in documented.STATEFUL
