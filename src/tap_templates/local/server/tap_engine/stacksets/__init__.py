"""CloudFormation StackSets, with the semantics that AWS documents, over the engine's stacks.

`model` holds what is remembered, `wire` speaks the Query protocol, `requests` reads and checks what
a caller asks for, `operations` runs it region by region, `stacks` does one stack, `actions` is the
list of what can be called. Everything runs on the engine's event loop, so nothing needs a lock.
"""
