"""The dashboard: its figures, how they went, and what its charts are drawn from."""
