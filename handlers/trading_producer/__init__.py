"""Publishes trading events through the global endpoint, or past it when it does not answer."""

from trading_producer.client import Producer, connect
from trading_producer.core import (
    Event,
    Failed,
    Published,
    Result,
    Route,
)

__all__ = ["Event", "Failed", "Producer", "Published", "Result", "Route", "connect"]
