"""What machines ask of a server: whether it is well, and its numbers."""
