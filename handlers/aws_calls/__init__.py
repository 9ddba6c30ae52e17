"""What all functions that call AWS have in common: how its errors are read, objects kept once."""
