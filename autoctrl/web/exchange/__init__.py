"""What a request says, and how it is answered, for pages and programs alike."""
