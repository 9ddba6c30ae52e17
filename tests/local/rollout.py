"""Roll the committed templates of a system out to an engine, and take them back."""

import json
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Rollout:
    """A system on an engine: its manifest, its stack sets in rollout order."""

    def __init__(self, clients, system, packages):
        self.clients, self.packages = clients, packages
        self.folder = ROOT / "build" / "templates" / system
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        self.home = self.clients("cloudformation", self.manifest["regions"]["primary"])
        self.account = clients.engine.account

    @property
    def regions(self):
        return [self.manifest["regions"][role] for role in ("primary", "secondary")]

    def template(self, stack):
        return (self.folder / f"{stack['name']}.json").read_text()

    def upload(self):
        for region in self.regions:
            s3 = self.clients("s3", region)
            bucket = f"bucket-artifacts-{region}-{self.account}"
            place = {"LocationConstraint": region}
            s3.create_bucket(
                Bucket=bucket,
                **({} if region == "us-east-1" else {"CreateBucketConfiguration": place}),
            )
            for built in self.packages.values():
                s3.put_object(Bucket=bucket, Key=self.key(built), Body=built.path.read_bytes())

    @staticmethod
    def key(built):
        return f"packages/{built.name}-{built.sha256[:16]}.zip"

    def value(self, name, value):
        """Give a parameter's value; packages are the host's twins here."""
        if name == "CodeSha256":
            return self.packages["trading-processor"].code_sha256
        match value:
            case str():
                return value
            case {"package": package}:
                return self.key(self.packages[package])
            case {"output": {"stack": stack, "region": region, "name": output}}:
                return self.outputs(stack, region)[output]
        raise AssertionError(value)

    def parameters(self, stack):
        return {name: self.value(name, value) for name, value in stack["parameters"].items()}

    def name(self, stack):
        return f"{self.manifest['system']}-{stack['name']}"

    def stack_id(self, stack, region):
        found = self.home.describe_stack_instance(
            StackSetName=f"{self.manifest['system']}-{stack}",
            StackInstanceAccount=self.account,
            StackInstanceRegion=region,
        )
        return found["StackInstance"]["StackId"]

    def outputs(self, stack, region):
        described = self.clients("cloudformation", region).describe_stacks(
            StackName=self.stack_id(stack, region)
        )["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}

    def create(self):
        for stack in self.manifest["stacks"]:
            self.home.create_stack_set(
                StackSetName=self.name(stack),
                TemplateBody=self.template(stack),
                Capabilities=stack["capabilities"],
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in self.parameters(stack).items()
                ],
            )
            self.finish(
                stack,
                self.home.create_stack_instances(
                    StackSetName=self.name(stack),
                    Accounts=[self.account],
                    Regions=stack["regions"],
                    OperationPreferences={"RegionOrder": stack["regions"]},
                ),
            )

    def delete(self):
        for stack in reversed(self.manifest["stacks"]):
            self.finish(
                stack,
                self.home.delete_stack_instances(
                    StackSetName=self.name(stack),
                    Accounts=[self.account],
                    Regions=stack["regions"],
                    RetainStacks=False,
                ),
            )
            self.home.delete_stack_set(StackSetName=self.name(stack))

    def finish(self, stack, started):
        operation = finished(self.home, self.name(stack), started["OperationId"])
        results = self.home.list_stack_set_operation_results(
            StackSetName=self.name(stack), OperationId=started["OperationId"]
        )["Summaries"]
        assert operation["Status"] == "SUCCEEDED", results


def finished(client, stack_set, operation_id, seconds=30):
    """Wait for the end of an operation, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        operation = client.describe_stack_set_operation(
            StackSetName=stack_set, OperationId=operation_id
        )["StackSetOperation"]
        if operation["Status"] not in ("RUNNING", "STOPPING", "QUEUED"):
            return operation
        time.sleep(0.03)
    raise AssertionError(operation)
