"""The live system as the desk reads it: what is measured, the limits, and who is here."""
