"""What the desk needs to write to people: its list of conversations, whom it writes to, its quick replies."""
