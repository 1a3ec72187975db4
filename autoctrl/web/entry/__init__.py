"""Who makes a request, and whether a server of ours was meant."""
