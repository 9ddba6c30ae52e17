"""What the logs, metrics and traces of every function have in common: no message of others."""
