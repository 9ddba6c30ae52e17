"""The systems, written out: what is not listed here is not compiled."""

from tap_templates.model.system import System
from templates.trading_events import TRADING_EVENTS

SYSTEMS: tuple[System, ...] = (TRADING_EVENTS,)
