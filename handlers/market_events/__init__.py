"""What the five functions of the market pipeline share: the event, its failures, what is said."""
