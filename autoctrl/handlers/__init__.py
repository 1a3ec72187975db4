"""Handlers declare workflows and decide what happens to their tasks: observe, plan (pure), perform."""
