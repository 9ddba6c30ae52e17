"""What the functions of trading-dr share: who is active, the rules of orders, what may be said."""
