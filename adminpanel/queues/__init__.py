"""What waits for the desk's decision: documents, reviews, disputes."""
