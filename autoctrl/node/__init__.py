"""What runs on a worker node: one file each, of the standard library alone, for Python 3.9 and
newer.
"""
