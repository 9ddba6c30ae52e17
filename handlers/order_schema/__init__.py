"""Lambda function: brings the database of orders to the schema of this release."""
