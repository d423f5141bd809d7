"""The calls that give out tokens, and those about people."""
