"""A folder of handlers to package, and an installer that is no pip."""

from pathlib import Path

import pytest

from tap_templates.compiler.packages import start
from tap_templates.errors import PackageError
from tap_templates.model.package import Package

LOCK = "left-pad==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
SITE = {
    "left_pad/__init__.py": b"def pad(): ...\n",
    "left_pad/_fast.pyi": b"stub\n",
    "left_pad/_fast.c": b"source\n",
    "left_pad/__pycache__/x.cpython-314.pyc": b"compiled\n",
    "left_pad/data/table.json": b"{}\n",
    "left_pad-1.0.dist-info/METADATA": b"Name: left-pad\n",
    "left_pad-1.0.dist-info/licenses/LICENSE": b"free\n",
    "left_pad-1.0.dist-info/RECORD": b"machine\n",
    "left_pad-1.0.dist-info/INSTALLER": b"pip\n",
    "left_pad-1.0.dist-info/WHEEL": b"Tag: cp314\n",
    "left_pad-1.0.dist-info/direct_url.json": b"{}\n",
    "left_pad-stubs/__init__.pyi": b"stub\n",
    "bin/left-pad": b"#!/machine/python\n",
    "botocore/data/endpoints.json": b"{}\n",
    "botocore/data/dynamodb/2012-08-10/service-2.json.gz": b"model\n",
    "botocore/data/dynamodb/2012-08-10/examples-1.json": b"examples\n",
    "botocore/data/ec2/2016-11-15/service-2.json.gz": b"model\n",
    "boto3/data/s3/2006-03-01/resources-1.json": b"model\n",
    "boto3/examples/s3.rst": b"text\n",
}


class FakeInstallation:
    def __init__(self, installer, scratch, where):
        self.installer, self.scratch, self.where = installer, scratch, where

    def finish(self):
        if self.installer.error:
            raise self.installer.error
        for name, data in self.installer.site.items():
            path = self.scratch / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def cancel(self):
        self.installer.cancelled += 1


class FakeInstaller:
    """Installs `site`, or fails with `error`; remembers how often it was started."""

    def __init__(self):
        self.site, self.error = dict(SITE), None
        self.started, self.cancelled = [], 0

    def __call__(self, requirements, options, *, scratch, where):
        self.started.append((requirements, options, scratch))
        return FakeInstallation(self, scratch, where)


class Workshop:
    """A project with one good handler, and the builder on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.handlers, self.into, self.cache = root / "handlers", root / "out", root / "cache"
        self.installer = FakeInstaller()
        self.package = Package(name="order-desk", aws_services=("dynamodb",))
        self.handler("order_desk")

    def handler(self, folder):
        (self.handlers / folder).mkdir(parents=True)
        for name, text in {
            "__init__.py": "",
            "app.py": "def handler(event, context): ...\n",
            "requirements.in": "left-pad\n",
            "requirements.txt": LOCK,
            "README.md": "# Desk\n",
        }.items():
            (self.handlers / folder / name).write_text(text)

    @property
    def folder(self):
        return self.handlers / "order_desk"

    def start(self, *packages, **options):
        return start(
            packages or [self.package],
            handlers=self.handlers,
            into=self.into,
            cache=self.cache,
            **{"installer": self.installer} | options,
        )

    def build(self, *packages, **options):
        with self.start(*packages, **options) as pending:
            return pending.finish()

    def one(self, **options):
        return self.build(**options)[self.package.name]

    def refusal(self):
        """Build; give what the refusal says. Nothing may be left of it."""
        with pytest.raises(PackageError) as caught:
            self.build()
        assert not list(self.into.glob("*")) if self.into.exists() else True
        error = caught.value
        assert str(self.root) not in f"{error} {error.remedy}"
        return error


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)
