"""Failover drills: lose a region of a system on the local engine, and count what became of it.

`report` and `tally` are pure: what was seen, and what it amounts to. `databases` has the real
PostgreSQL servers, `traffic` the clients with `resolver` and `signing`, `following` watches, and
`trading_dr` is the drill of that system, act by act. What rolls a system out and takes it down is
given by the composition root (`wiring_drill`).
"""
