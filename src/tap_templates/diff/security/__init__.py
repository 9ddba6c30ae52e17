"""What a change means for security and for recovery: analysers, each a pure function.

Each takes one resource before and after and gives flags; `analysers.ANALYSERS` lists them.
"""
