"""Lambda function: restores from the journal what a failover lost, and sweeps up what is left."""
