"""The pages of the road: one module a side."""
