"""Watches both regions from one of them, and starts what must be started."""
