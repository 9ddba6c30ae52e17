"""Faults of a path that promotes a database: see `failover_ground`."""

from unit.invariants.planted import Planted

BUDGET = (
    Planted(
        "TAP-OBJ-08",
        "failover",
        lambda template: template,  # the fault is the promise
        says="within 3600 s, but that takes 160 s (detection",
        remedy="promise no database_rto",
    ),
)
PLANTED = (*BUDGET,)
