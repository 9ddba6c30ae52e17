"""The systems, written out: what is not listed here is not compiled."""

from tap_templates.model.system import System
from templates.bootstrap import bootstrap
from templates.market_pipeline import MARKET_PIPELINE
from templates.payments_dr import PAYMENTS_DR
from templates.trading_dr import TRADING_DR
from templates.trading_events import TRADING_EVENTS

WORKLOADS: tuple[System, ...] = (TRADING_EVENTS, MARKET_PIPELINE, PAYMENTS_DR, TRADING_DR)


def systems(workloads: tuple[System, ...]) -> tuple[System, ...]:
    """Put what an account needs once before `workloads`, wherever they are."""
    return (bootstrap(*workloads), *workloads)


SYSTEMS = systems(WORKLOADS)
