"""Strict fakes of services that cannot be had, built from their contracts."""
