import sys

import parsl
from parsl.config import Config
from parsl.dataflow.memoization import BasicMemoizer
from parsl.executors import ThreadPoolExecutor


@parsl.python_app(cache=True)
def step(workflow, run, before=None):
    return None


memoizer = BasicMemoizer(checkpoint_mode="dfk_exit")
with parsl.load(Config([ThreadPoolExecutor(max_threads=2)], memoizer, initialize_logging=False)):
    last = []
    for run in range(1, int(sys.argv[1]) + 1):
        before = None
        for workflow in ("first", "second", "third"):
            before = step(workflow, run, before)
        last.append(before)
    for future in last:
        future.result()
