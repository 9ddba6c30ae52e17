"""Lambda function: brings a database of payments to the schema of this release."""
