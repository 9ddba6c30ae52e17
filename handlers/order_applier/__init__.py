"""Lambda function: brings orders from the journal into the books, as the queue hints at them."""
