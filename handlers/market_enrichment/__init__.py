"""Says what is known of an event beside the event: its instrument, and what follows from both."""
