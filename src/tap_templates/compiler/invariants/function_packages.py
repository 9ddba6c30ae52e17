"""Packages: a function runs what was packaged for it, in the way it was packaged for."""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import inside
from tap_templates.rendered.tokens import package_of, package_token
from tap_templates.rendered.view import Located, SystemView

_PACKAGES = "https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"
_DEFAULT_ARCHITECTURES = ["x86_64"]


def _unlike(compiled: CompiledSystem) -> Iterator[Fault]:
    packages = {package.name: package for package in compiled.system.packages}
    for located in compiled.view.resources("AWS::Lambda::Function"):
        properties = located.resource.properties
        name = package_of(str(inside(properties, "Code", "S3Key")))
        package = packages.get(name or "")
        if package is None:
            yield fault_at(
                located,
                "runs code that is no package of the system, so that nothing is known of it",
                "take Code.S3Key from a parameter that the system module gives a PackageKey",
                "/Properties/Code",
            )
            continue
        for key, said, right in (
            ("Handler", properties.get("Handler"), package.handler),
            ("Runtime", properties.get("Runtime"), package.runtime),
            (
                "Architectures",
                properties.get("Architectures", _DEFAULT_ARCHITECTURES),
                [package.architecture],
            ),
        ):
            if said != right:
                yield fault_at(
                    located,
                    f"has {key} {said}, but its package {package.name} is made for {right}: it "
                    "would not start",
                    f"set {key} from the Package, as blocks/function.py does",
                    f"/Properties/{key}",
                )


def _other_code(compiled: CompiledSystem) -> Iterator[Fault]:
    for version in compiled.view.resources("AWS::Lambda::Version"):
        function = _function(compiled.view, version)
        if function is None:
            continue  # TAP-REF-01 tells of names that are nobody's
        package = package_of(str(inside(function.resource.properties, "Code", "S3Key")))
        said = version.resource.properties.get("CodeSha256")
        if package and said is not None and said != package_token(package, "sha256"):
            yield fault_at(
                version,
                f"demands code of digest {said}, but {function.resource.logical_id} runs the "
                f"package {package}: Lambda refuses to publish it",
                "take CodeSha256 from a parameter that the system module gives the "
                "PackageSha256 of the same package",
                "/Properties/CodeSha256",
            )


def _function(view: SystemView, version: Located) -> Located | None:
    name = version.resource.properties.get("FunctionName")
    for each in view.resources("AWS::Lambda::Function"):
        if each.stack.region == version.stack.region and name in (
            each.resource.name,
            each.resource.arn,
        ):
            return each
    return None


FUNCTION_PACKAGES = (
    Invariant(
        code="TAP-FN-09",
        promise="A function has the handler, runtime and architecture of the package it runs.",
        source_url=_PACKAGES,
        check=_unlike,
    ),
    Invariant(
        code="TAP-FN-10",
        promise="A version demands the digest of the package that its function runs.",
        source_url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html",
        check=_other_code,
    ),
)
