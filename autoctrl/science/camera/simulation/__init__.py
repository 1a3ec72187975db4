"""Simulated raw runs: light, sensor, data acquisition."""
