"""What runs on a worker node: one file each, standard library only, for Python 3.9 and newer."""
