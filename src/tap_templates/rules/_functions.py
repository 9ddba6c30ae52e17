"""E9401: settings of a function that are made before what they are settings of."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._index import Index, Resource
from ._rule import Fault, TapRule

_CONFIG: Final = "AWS::Lambda::EventInvokeConfig"


class AliasFirst(TapRule):
    """Demand that the settings of an alias wait for the alias.

    Looks at aliases of the template. Silent where Qualifier or the alias's name cannot be seen,
    or where it cannot be told whether the two are of one function.
    """

    id = "E9401"
    shortdesc = "The invocation settings of an alias must depend on the alias"
    description = (
        "A Qualifier that is written out is no reference: CloudFormation makes both at once, and "
        "Lambda refuses settings for an alias that is not there yet. Which comes first is chance."
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-attribute-dependson.html"
    )
    tags: ClassVar[list[str]] = ["resources", "lambda"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for config in index.typed(_CONFIG):
            before = _before(index, config)
            for node in config.get("Qualifier"):
                named = index.expression(node.value) if node.present else ()
                for alias in index.typed("AWS::Lambda::Alias"):
                    if alias.logical_id in before or not named:
                        continue
                    names = [index.expression(each.value) for each in alias.get("Name")]
                    if named in names and _same_function(index, config, alias):
                        yield Fault(
                            node.path,
                            f"{config.logical_id} is for the alias {alias.logical_id} and does not "
                            f"wait for it: add DependsOn {alias.logical_id}",
                        )


def _same_function(index: Index, config: Resource, alias: Resource) -> bool:
    of_config = [index.function_of(each.value) for each in config.get("FunctionName")]
    of_alias = [index.function_of(each.value) for each in alias.get("FunctionName")]
    plain = [each.name for each in of_config if each]
    return any(each is not None and each.name in plain for each in of_alias)


def _before(index: Index, resource: Resource) -> set[str]:
    """Return what CloudFormation makes before a resource, by DependsOn or reference."""
    found: set[str] = set()
    todo = [resource.logical_id]
    while todo:
        logical_id = todo.pop()
        known = index.resources.get(logical_id)
        if known is None:
            continue
        for each in known.depends_on | index.references[logical_id]:
            if each not in found:
                found.add(each)
                todo.append(each)
    return found


RULES = (AliasFirst,)
