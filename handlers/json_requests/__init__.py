"""How functions behind an API read what they are sent: strictly, and whatever the door."""
