"""Listens to what other services send: chat, the DAQ."""
