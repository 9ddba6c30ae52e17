"""What the code of a function needs: its package's calls, with the function's environment."""

from collections.abc import Mapping
from typing import Any

from tap_templates.iam.actions import CallError, Runner, needs_of
from tap_templates.iam.code.calls import Code as FoundCode
from tap_templates.iam.code.calls import find_calls
from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Need, Problem
from tap_templates.rendered.tokens import package_of
from tap_templates.rendered.view import Located, SystemView

Handlers = Mapping[str, Mapping[str, str]]  # package name → path → source


class HandlerCode:
    """Knows the calls of each package: it is read once for all functions in all regions."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._found: dict[str, FoundCode] = {}

    def needs(self, view: SystemView, function: Located) -> tuple[list[Need], list[Problem]]:
        """List what the code of one function needs, and where we cannot tell."""
        found = self._code_of(function.resource.properties.get("Code", {}))
        if isinstance(found, str):
            problem = Problem(
                Code.NO_CODE,
                function,
                "/Properties/Code",
                f"runs {found}",
                "run a package of this system: give S3Key the parameter of its key",
            )
            return [], [problem]
        runner = Runner(view, function)
        needs: list[Need] = []
        problems = [
            _problem(Code.CALL_UNTRACED, function, f"{each.file}:{each.line} {each.what}")
            for each in found.untraced
        ]
        for call in found.calls:
            try:
                needs += needs_of(call, runner)
            except CallError as error:
                what = f"{call.file}:{call.line} {call.service}.{call.operation} {error}"
                problems.append(_problem(error.code, function, what))
        return needs, problems

    def _code_of(self, code: Mapping[str, Any]) -> FoundCode | str:
        """Find the code of a function, or say what it runs instead."""
        key = str(code.get("S3Key", ""))
        if "ZipFile" in code:
            return find_calls({"index.py": str(code["ZipFile"])})
        package = package_of(key)
        if package is None:
            return f"{key or 'something'}, which is no package of this system"
        sources = self._handlers.get(package)
        if not sources:
            return f"package {package!r}, whose sources are not here"
        if package not in self._found:
            own = package.replace("-", "_")
            has_own = any(path.startswith(f"{own}/") for path in sources)
            self._found[package] = find_calls(sources, own if has_own else None)
        return self._found[package]


def code_of(handlers: Handlers | HandlerCode) -> HandlerCode:
    """Take sources, or what has been read off them already."""
    return handlers if isinstance(handlers, HandlerCode) else HandlerCode(handlers)


_REMEDIES = {
    Code.CALL_UNTRACED: "make the call directly on a boto3 client, within the handler's package",
    Code.CALL_UNMAPPED: "write down in iam/actions.py what it needs, with its source",
    Code.CALL_RESOURCE: "name the resource by a constant or an environment variable",
}


def _problem(code: Code, function: Located, what: str) -> Problem:
    return Problem(code, function, "/Properties/Code", what, _REMEDIES[code])
