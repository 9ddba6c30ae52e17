"""Rendered templates as data: intrinsics resolved per region, ARNs, references."""
