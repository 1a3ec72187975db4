"""Agreement of what was reconstructed with the simulation's truth."""
