"""Lambda function: keeps every event of a failover or failback in the audit bucket."""
