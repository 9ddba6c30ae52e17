"""Is recovery weaker than before? Copies, backups, retries, alarms, and how fast they act."""
