"""The part of the local engine that runs inside it, in its own environment.

Started as `python -m tap_engine` with this folder's parent on the path: it may import the engine
(`ministack`) and boto3, and nothing of `tap_templates`. What it does:

- `originals` asserts that the engine is the version we know, and patches it by name;
- `conditions`, `invocation`, `bus`, `endpoints`, `tables`, `alarms` are those patches;
- `providers` adds resource types to the engine's CloudFormation;
- `stacksets` is CloudFormation StackSets, which the engine has not;
- `control` serves `/_tap/…`: what is supported, and faults on demand.
"""
