"""Lambda function: takes orders into the journal, shows them, keeps sessions, says its health."""
