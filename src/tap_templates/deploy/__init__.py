"""Rollout: a compiled system to both regions through StackSets, planned and then applied.

The modules, in the order in which a rollout passes through them:

- `desired`: the manifest, its templates and packages as one value. Touches nothing.
- `observed`: what is deployed now, read through `ports.Reader`, which has no method that writes.
- `planner` (with `decisions`, `ordering`, `approvals`): two states in, a `plan.Plan` out. Pure.
- `executor` (with `following`): carries a plan out, step by step, and decides nothing.
- `rollout`, `rollback`, `destroy`, `status`, `drift`: what the command line calls.
- `ports`: what we use of AWS, as protocols and values. `cloud` is boto3 behind them, and the only
  module that imports it; `retrying` repeats what may be repeated.

No state is kept on this machine: who deployed what is read back from the stack sets (`naming`).
"""
