"""The local engine: an AWS of this machine, to roll out to without an account.

`engine` starts and stops it, `environment` makes the environment it runs in, `support` says what it
simulates, `readback` looks whether what was rolled out is really there. `server/` runs inside it,
in that environment, and is no part of what `tap` imports.
"""
