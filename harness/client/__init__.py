"""A chat client that can misbehave: the wire (segments, half-close, reset, stall) and the member who uses it."""
