"""The least-privilege proof: what the code needs equals what its role grants."""
