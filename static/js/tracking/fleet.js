// The live fleet.
