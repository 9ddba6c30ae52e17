"""What the functions of payments may say in logs, metrics and traces."""
