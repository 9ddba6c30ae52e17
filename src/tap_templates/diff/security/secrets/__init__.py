"""Values that must not be shown: what looks like a secret, by its name or by itself."""
