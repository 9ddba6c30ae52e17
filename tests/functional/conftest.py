"""A small project on disk and the `tap` command in a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TAP = str(Path(sys.executable).with_name("tap"))

SYSTEM = """
from troposphere import Ref

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.key import service_key, use_by_alarms
from tap_templates.blocks.parameters import email_parameter
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic, alarm_topic
from tap_templates.model.package import Package
from tap_templates.model.system import Objectives, Regions, Stack, System, Where


TOPIC = Topic("tiny-alarms")


def alerts():
    stack = StackTemplate("tiny: whom alarms tell")
    email = stack.parameter(email_parameter())
    key = service_key("Alarms", "tiny-alarms", "Encrypts alarms", use_by_alarms())
    topic = alarm_topic("Alarms", TOPIC, key=key, email=email)
    stack.add(*key, *topic)
    failed = Metric(
        namespace="AWS/SNS",
        name="NumberOfNotificationsFailed",
        statistic="Sum",
        dimensions={"TopicName": sub(TOPIC.name)},
    )
    stack.add(alarm("Lost", "tiny-lost", failed, above=0, tell=TOPIC, means="An alarm was lost."))
    stack.output("AlarmTopicArn", "Topic that alarms tell", Ref(topic.topic))
    return stack


TINY = System(
    name="tiny",
    application="Tiny",
    regions=Regions(primary="eu-west-1", secondary="eu-central-1"),
    objectives=Objectives(),
    packages=(),
    stacks=(
        Stack(
            name="alerts",
            build=alerts,
            where=Where.BOTH,
            parameters={"AlarmEmail": "alarms@example.com"},
        ),
    ),
)
SYSTEMS = (TINY,)
"""


@dataclass(frozen=True)
class ProjectFolder:
    """A project in a temporary folder."""

    path: Path

    @property
    def module(self) -> Path:
        return self.path / "templates" / "__init__.py"

    def edit(self, before: str, after: str) -> None:
        """Replace text in the system module; it must be there."""
        text = self.module.read_text()
        assert before in text
        self.module.write_text(text.replace(before, after))

    def tap(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TAP, *arguments],
            cwd=self.path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def tree(self) -> dict[str, bytes]:
        """Read everything below build/."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted((self.path / "build").rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def project(tmp_path) -> ProjectFolder:
    (tmp_path / "templates").mkdir()
    (tmp_path / "handlers").mkdir()
    folder = ProjectFolder(tmp_path)
    folder.module.write_text(SYSTEM)
    return folder
