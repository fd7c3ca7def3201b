"""Browser tests: real processes, a real browser, several people at once."""
