"""How functions reach PostgreSQL: settings, one connection kept, what its errors mean."""
