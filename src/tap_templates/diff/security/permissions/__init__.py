"""Who may do more than before: containment of policies, decided and not guessed."""
