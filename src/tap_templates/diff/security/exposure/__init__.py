"""What is open to people and services outside, and was not before."""
