"""What the Makefile runs: the virtualenv, throw-away servers, the suite, the checks, the trial site."""
