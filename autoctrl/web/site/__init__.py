"""What every page of one server shares."""
