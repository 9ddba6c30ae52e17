"""What of a handler's folder and of its installed dependencies goes into the zip.

The handler's folder is an allow-list: a file of another kind is refused, so that a key, a dump or
a notebook left there cannot ship. The dependencies are what their authors published, less what
cannot matter at run time: what installers write, sources of compiled code, type stubs, and the
AWS service models (25 of botocore's 30 MB) of services the package does not declare.
"""

import ast
import re
import stat
import sys
from pathlib import Path, PurePosixPath

from tap_templates.errors import PackageError
from tap_templates.model.package import Package

LOCK = "requirements.txt"
_SHIPPED = frozenset({".py", ".json", ".sql"})
_NOT_SHIPPED = frozenset({"README.md", "requirements.in", LOCK, "py.typed"})
_IGNORED_FOLDERS = frozenset({"__pycache__", "tests"})
_MODULE = re.compile(r"[a-z_][a-z0-9_]*")

_METADATA = frozenset({"METADATA", "entry_points.txt", "top_level.txt"})  # importlib.metadata's
_LICENCE = re.compile(r"(LICEN[CS]E|NOTICE|COPYING|AUTHORS)", re.IGNORECASE)
_BALLAST = frozenset({".pyc", ".pyi", ".c", ".h", ".cpp", ".pyx", ".pxd"})
# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB unzipped, layers included
_UNZIPPED_BYTES_MAX = 250 * 1024 * 1024


def handler_files(handlers: Path, package: Package) -> dict[str, bytes]:
    """Read what ships of the handler's folder, by name in the zip.

    Raises PackageError for a folder without `app.handler`, and for anything in it that is not
    a regular file of a known kind.
    """
    folder = handlers / package.folder
    where = f"package {package.name}"
    if folder.is_symlink() or not folder.is_dir():
        raise PackageError(
            where,
            f"there is no folder handlers/{package.folder}",
            "create it or rename the package",
        )
    if package.folder in sys.stdlib_module_names:
        raise PackageError(
            where,
            f"the folder {package.folder} would shadow Python's own module of that name",
            "give the package a name of two words",
        )
    files = {f"{package.folder}/{name}": data for name, data in _read(folder, where).items()}
    for shared in package.shared:
        files |= _shared_files(handlers / shared, where)
    app = files.get(f"{package.folder}/app.py")
    if app is None or not _defines_handler(app):
        raise PackageError(
            where,
            f"handlers/{package.folder}/app.py does not define `handler`",
            f"define it: Lambda calls {package.handler}",
        )
    return files


def _shared_files(folder: Path, where: str) -> dict[str, bytes]:
    if folder.is_symlink() or not folder.is_dir():
        raise PackageError(
            where,
            f"shares handlers/{folder.name}, which is no folder",
            "create it, or take it out of `shared`",
        )
    return {f"{folder.name}/{name}": data for name, data in _read(folder, where).items()}


def handler_lock(handlers: Path, package: Package) -> str:
    """Read the handler's lock file."""
    path = handlers / package.folder / LOCK
    if path.is_symlink() or not path.is_file():
        raise PackageError(
            f"package {package.name}",
            f"there is no lock handlers/{package.folder}/{LOCK}",
            "write requirements.in beside it (it may be empty) and run `make lock`",
        )
    return path.read_text(encoding="utf-8")


def dependency_files(site: Path, package: Package) -> dict[str, bytes]:
    """Read what ships of the installed dependencies, by name in the zip."""
    services = frozenset(package.aws_services)
    files = {}
    for path in site.rglob("*"):
        name = PurePosixPath(path.relative_to(site).as_posix())
        if path.is_file() and not path.is_symlink() and _ships(name, services):
            files[str(name)] = path.read_bytes()
    return files


def combine(
    own: dict[str, bytes], dependencies: dict[str, bytes], package: Package
) -> dict[str, bytes]:
    """Join both halves of a package; raise PackageError where Lambda could not run the result."""
    where = f"package {package.name}"
    theirs = {name.split("/")[0].split(".")[0] for name in dependencies}
    for folder in sorted({package.folder, *package.shared} & theirs):
        raise PackageError(
            where,
            f"its folder {folder} has the name of a dependency and would shadow it",
            "rename it",
        )
    files = own | dependencies
    size = sum(map(len, files.values()))
    if size > _UNZIPPED_BYTES_MAX:
        raise PackageError(
            where,
            f"unzipped it has {size / 2**20:.0f} MB, Lambda takes 250 MB",
            "drop dependencies from requirements.in, or services from Package.aws_services",
        )
    return files


def _read(folder: Path, where: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if _IGNORED_FOLDERS.intersection(inside.parts):
            continue
        name = inside.as_posix()
        kind = path.lstat().st_mode
        if stat.S_ISDIR(kind):
            if not _MODULE.fullmatch(path.name):
                raise _stranger(where, f"{name}/")
        elif not stat.S_ISREG(kind):
            raise PackageError(
                where,
                f"{name} is a link or a special file; what it means depends on the machine",
                "put the file itself there",
            )
        elif path.suffix in _SHIPPED and _MODULE.fullmatch(path.stem):
            files[name] = path.read_bytes()
        elif name not in _NOT_SHIPPED:
            raise _stranger(where, name)
    return files


def _stranger(where: str, name: str) -> PackageError:
    return PackageError(
        where,
        f"{name} is no part of a handler",
        "move it away; a handler folder holds modules (.py), data (.json, .sql), README.md and"
        " requirements.{in,txt}",
    )


def _defines_handler(source: bytes) -> bool:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    for node in body:
        match node:
            case ast.FunctionDef(name="handler"):
                return True
            case ast.Assign(targets=targets) if any(
                isinstance(target, ast.Name) and target.id == "handler" for target in targets
            ):
                return True
            case ast.AnnAssign(target=ast.Name(id="handler")):
                return True
            case _:
                continue
    return False


def _ships(name: PurePosixPath, services: frozenset[str]) -> bool:
    """Tell whether a dependency's file matters at run time, from its name alone."""
    top, *rest = name.parts
    if top == "bin" or top.endswith("-stubs") or "__pycache__" in rest or name.suffix in _BALLAST:
        return False
    if top.endswith(".dist-info"):
        return name.name in _METADATA or any(_LICENCE.match(part) for part in rest)
    match name.parts:
        case ("botocore" | "boto3", "data", service, _, *_):
            return service in services and name.name != "examples-1.json"
        case ("boto3", "examples", *_):
            return False
        case _:
            return True
