"""Finds out each hour whether a failover would succeed now."""
