"""Brings a database to the schema of a release, as a custom resource of CloudFormation."""
