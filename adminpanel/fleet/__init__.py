"""The drivers, their legs and their days, as the desk sees them."""
