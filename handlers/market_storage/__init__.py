"""Stores an event, then records it complete: in the time series and in the audit bucket."""
