"""Deployment: a ref of the repository becomes the project that an environment runs."""
