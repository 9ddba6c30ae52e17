"""Takes market events over HTTP and puts them on the bus."""
