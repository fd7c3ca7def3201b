"""People who are not there: they act through the same actions as everybody else."""
