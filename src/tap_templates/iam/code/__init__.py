"""What a handler's code calls, read off its syntax trees: which AWS operation, on what."""
