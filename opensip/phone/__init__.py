"""The other end of a call: a caller that speaks, and the desk of a human."""
