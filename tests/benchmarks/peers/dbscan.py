"""Clusters the seeds of one frame with scikit-learn; prints the labels' digest and the seconds of
every repetition.
"""

import json
import sys
import time

import numpy as np
from sklearn.cluster import DBSCAN

seeds = np.load(sys.argv[1])
points, weights = seeds["cells"].astype(float), seeds["weights"].astype(float)
found, wall_s, cpu_s = DBSCAN(eps=12, min_samples=20, metric="manhattan"), [], []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter(), time.process_time()
    found.fit(points, sample_weight=weights)
    wall_s.append(time.perf_counter() - began[0])
    cpu_s.append(time.process_time() - began[1])
print(json.dumps({"labels": found.labels_.tolist(), "wall_s": wall_s, "cpu_s": cpu_s}))
