"""Lambda function: books payments once each, in the region whose database accepts writes."""
