"""Handlers declare workflows: what an author writes, and how their modules are loaded."""
