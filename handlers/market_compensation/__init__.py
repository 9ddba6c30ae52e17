"""Takes back what one execution wrote of an event, and says so."""
