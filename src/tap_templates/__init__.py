"""A CloudFormation template compiler for multi-region disaster recovery pairs."""

__version__ = "0.1.0"
