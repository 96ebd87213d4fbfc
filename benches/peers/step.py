"""What the peers' steps share: the command line, the clock, the line of JSON.

In: a function that makes a step and one that waits for it. Out: one line of JSON, milliseconds a step. Never: a step without its
optimizer.
"""

import json
import os
import resource
import time

BEGIN = time.perf_counter()


def pin(threads):
    """Keeps the process on its processors; before the peer is imported, so that its pools know."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(threads)))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)


def measure(step, peer, workload, threads, version, budget):
    """Times single steps for about `budget` seconds, after a fifth of it to warm up. `step` returns its loss, and not before it is done."""
    losses = [float(step())]
    # From the first line of the script: what a user waits for.
    first = 1e3 * (time.perf_counter() - BEGIN)
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.2 * budget:
        step()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < budget or len(times) < 5:
        start = time.perf_counter()
        loss = step()
        times.append(1e3 * (time.perf_counter() - start))
    losses.append(float(loss))
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    line = dict(peer=peer, w=workload, nt=threads, n=len(times), med=at(0.5), min=at(0), p10=at(0.1), p90=at(0.9))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(line, first=first, memory=memory, losses=losses, version=version)), flush=True)
