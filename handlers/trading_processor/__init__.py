"""Records each trading event once, in whichever region comes first."""
