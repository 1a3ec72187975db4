"""The science of the camera workflows: raw runs, pedestals, clusters, friends, data quality.

Its command is ``autoctrl-camera``; nothing else of autoctrl imports this package.
"""
