"""Roll the committed templates of a system out to an engine, and take them back."""

import base64
import json
import time
from contextlib import contextmanager

from local.conftest import ROOT, Clients, make_roles

from tap_templates.compiler.packages import Platform, start
from tap_templates.local import engine as engines


def host_packages(packages):
    """Build the twins of handler packages that run on this machine; unchanged ones are kept."""
    kept = ROOT / ".cache" / "tap-tests"
    with start(
        packages, handlers=ROOT / "handlers", into=kept, cache=kept, platform=Platform.HOST
    ) as pending:
        return pending.finish()


@contextmanager
def rolled_out(system, packages, name):
    """A system on an engine of its own, which is stopped whatever happens."""
    engines.stop(ROOT, name=name)
    try:
        clients = Clients(engines.start(ROOT, name=name))
        try:
            make_roles(clients("iam"), clients.engine.account)
            rollout = Rollout(clients, system, packages)
            rollout.upload()
            rollout.create()
            yield rollout
        finally:
            clients.close()
    finally:
        engines.stop(ROOT, name=name)


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

    def template_url(self, stack):
        """Upload a template, which may be too long to be sent with the call, and name it."""
        region = self.regions[0]
        bucket, key = f"bucket-artifacts-{region}-{self.account}", f"templates/{stack['name']}.json"
        self.clients("s3", region).put_object(
            Bucket=bucket, Key=key, Body=self.template(stack).encode()
        )
        return f"https://{bucket}.s3.{region}.amazonaws.com/{key}"

    @staticmethod
    def key(built):
        return f"packages/{built.name}-{built.sha256[:16]}.zip"

    def value(self, value, region):
        """Give a parameter's value in a region; packages are the host's twins here."""
        match value:
            case str():
                return self.twins.get(value, value)
            case {"package": package}:
                return self.key(self.packages[package])
            case {"output": {"stack": stack, "region": where, "name": output}}:
                return self.outputs(stack, region if where == "own" else where)[output]
        raise AssertionError(value)

    @property
    def twins(self):
        """The digests in the manifest, to those of what runs here."""
        return {
            base64.b64encode(bytes.fromhex(each["sha256"])).decode(): self.packages[
                name
            ].code_sha256
            for name, each in self.manifest["packages"].items()
        }

    def parameters(self, stack, region=None):
        region = region or stack["regions"][0]
        return {name: self.value(value, region) for name, value in stack["parameters"].items()}

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
                TemplateURL=self.template_url(stack),
                Capabilities=stack["capabilities"],
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in self.parameters(stack).items()
                ],
            )
            for region in stack["regions"]:
                self.finish(
                    stack,
                    self.home.create_stack_instances(
                        StackSetName=self.name(stack),
                        Accounts=[self.account],
                        Regions=[region],
                        ParameterOverrides=[
                            {"ParameterKey": key, "ParameterValue": value}
                            for key, value in self.parameters(stack, region).items()
                        ],
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
