"""How the functions of payments reach PostgreSQL, and what they may say in logs and traces."""
