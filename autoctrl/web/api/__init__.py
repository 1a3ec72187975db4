"""What programs ask and order, in JSON."""
