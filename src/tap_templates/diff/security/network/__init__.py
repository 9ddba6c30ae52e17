"""What security groups let through: containment of rules, decided and not guessed."""
