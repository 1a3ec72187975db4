"""What keeps the page quick however many ask at once; it knows nothing of the pages."""
