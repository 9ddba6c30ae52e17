"""From system modules to `build/`: the stages, in one visible list (see pipeline)."""
