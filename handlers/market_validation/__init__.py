"""Says whether an event is valid, and whether it is known already."""
