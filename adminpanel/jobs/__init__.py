"""The jobs as the desk sees them: its list, one job, and what it may do about it."""
