"""What moves tasks: situation, observe, plan (pure), perform; the cycle of one workflow and the
rounds over all.
"""
