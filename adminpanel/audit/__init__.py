"""The audit: everything that was done, as one list, and its search."""
