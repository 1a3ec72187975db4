"""Science: ROOT files, friend trees, data quality and the camera; the core asks it only how many
entries a file has.
"""
