"""What the desk types: a module for each of its rooms."""
