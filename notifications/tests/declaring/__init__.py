"""A throw-away app that declares the tests' kinds in other processes."""
