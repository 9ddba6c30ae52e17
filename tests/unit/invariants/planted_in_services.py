"""Faults in what a service would have to encrypt or decrypt with."""

from unit.invariants.planted import Planted, put

PLANTED = (
    Planted(
        "TAP-ENC-01",
        "bus",
        put("UndeliveredQueue", "KmsMasterKeyId", "alias/of-nobody"),
        logical_id="UndeliveredQueue",
        says="is encrypted with alias/of-nobody, which is no key of the system in this region",
        remedy="set KmsMasterKeyId to a key of the same region",
    ),
)
