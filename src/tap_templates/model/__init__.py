"""Values and promises: systems, stacks, names, findings. No I/O, no troposphere at run time."""
