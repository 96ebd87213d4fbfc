"""Diabolo and the peers that are here, in turn: one table of medians, spread and ratios.

In: workloads, numbers of threads, runs. Out: a table, and every run as a line of JSON. Never: a run of one peer beside another, or
a build: Torch and JAX are used where this Python has them, burn and candle where README.md's commands have built them.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
RUST = {name: HERE / name / "target/release" / f"{name}-step" for name in ("burn", "candle")}
WORKLOADS = ["W1", "W2", "W3", "W4", "W5", "W5g", "W5gram", "W6", "W6k", "W7"]
# More than this share of a processor busy elsewhere, and a run is repeated.
FOREIGN = 0.05


def commands(step, workload, threads, seconds):
    """The steps that can be run here, by the names of the peers."""
    pinned = ["taskset", "-c", f"0-{threads - 1}"]
    # The penalty of W5gram by hand is what Diabolo makes of W5g by itself.
    own = "W5g" if workload == "W5gram" else workload
    found = {"diabolo": [*pinned, str(step), own, str(threads), str(seconds)]}
    script = lambda name, mode: [sys.executable, str(HERE / name), workload, str(threads), mode, str(seconds)]
    if importlib.util.find_spec("torch"):
        found["torch eager"] = script("torch_step.py", "eager")
        found["torch compiled"] = script("torch_step.py", "compiled")
    if importlib.util.find_spec("jax") and importlib.util.find_spec("optax"):
        found["jax jit"] = script("jax_step.py", "jit")
    # Some of their products ask these how many threads they may have; candle differentiates twice where it is told to.
    settings = [f"RAYON_NUM_THREADS={threads}", f"MATMUL_NUM_THREADS={threads}"]
    settings += ["CANDLE_GRAD_DO_NOT_DETACH=1"] if workload == "W5g" else []
    for name, binary in RUST.items():
        if binary.exists():
            found[name] = ["env", *settings, *pinned, str(binary), workload, str(threads), str(seconds)]
    return found


def busy():
    """Seconds of all processors that were not idle, or none where the system does not say."""
    try:
        numbers = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    except OSError:
        return None
    return (sum(numbers) - numbers[3] - numbers[4]) / os.sysconf("SC_CLK_TCK")


def run(command):
    """One run: its line, and how much of a processor was busy elsewhere meanwhile."""
    before, own, start = busy(), os.times(), time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return None, done.stderr.strip().splitlines()[-1:] or ["no line"]
    after, child = busy(), os.times()
    spent = child.children_user + child.children_system - own.children_user - own.children_system
    foreign = 0.0 if before is None else max(0.0, after - before - spent) / (time.time() - start)
    return json.loads(lines[-1]), foreign


def patient(command):
    """The run with the least load from elsewhere, of up to three."""
    best = (None, None)
    for _ in range(3):
        line, foreign = run(command)
        if line is None:
            return line, foreign
        if best[0] is None or foreign < best[1]:
            best = (line, foreign)
        if foreign < FOREIGN:
            break
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workloads", nargs="+", default=WORKLOADS, choices=WORKLOADS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of steps in a run")
    parser.add_argument("--step", type=pathlib.Path, default=HERE.parents[1] / "target/release/step")
    parser.add_argument("--json", type=pathlib.Path, help="where every run goes, a line each")
    asked = parser.parse_args()
    if not asked.step.exists():
        sys.exit(f"{asked.step} is missing: cargo build --release -p diabolo-benches")
    versions, loads, starts = {}, [], {}
    print(f"{os.cpu_count()} processors; milliseconds a step, median of {asked.runs} runs (lowest to highest median)\n")
    print("| | threads | diabolo | best peer | ratio | the peers |\n| - | - | - | - | - | - |")
    for workload in asked.workloads:
        for threads in asked.threads:
            medians, unsaid = {}, set()
            # In turn, so that what changes about the machine changes for all.
            for _ in range(asked.runs):
                for peer, command in commands(asked.step, workload, threads, asked.seconds).items():
                    line, foreign = patient(command) if peer not in unsaid else (None, None)
                    if line is None:
                        if foreign:
                            print(f"{peer}, {workload}: {foreign[0]}", file=sys.stderr)
                        unsaid.add(peer)
                        continue
                    medians.setdefault(peer, []).append(line["med"])
                    versions[peer.split()[0]] = line.get("version", line.get("isa"))
                    loads.append(foreign)
                    starts.setdefault((workload, threads, peer), []).append((line["first"], line["memory"]))
                    if asked.json:
                        with asked.json.open("a") as out:
                            out.write(json.dumps(dict(line, foreign=foreign)) + "\n")
            text = lambda all: f"{statistics.median(all):.4g} ({min(all):.4g}–{max(all):.4g})"
            peers = {peer: all for peer, all in medians.items() if peer != "diabolo"}
            own = medians.get("diabolo")
            best = min(peers, key=lambda peer: statistics.median(peers[peer]), default=None)
            ratio = f"{statistics.median(peers[best]) / statistics.median(own):.2f}" if own and best else "–"
            others = ", ".join(f"{peer} {statistics.median(all):.4g}" for peer, all in peers.items())
            cells = [workload, threads, text(own) if own else "–", f"{best} {text(peers[best])}" if best else "–", ratio, others]
            print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
    print("\nfrom the start of the program to the end of the first step, and the most memory of the process\n")
    print("| | threads | | ms | MB |\n| - | - | - | - | - |")
    for (workload, threads, peer), all in starts.items():
        first, memory = (statistics.median(values) for values in zip(*all))
        print(f"| {workload} | {threads} | {peer} | {first:.4g} | {memory:.0f} |")
    print("\n" + ", ".join(f"{peer} {version}" for peer, version in versions.items()))
    if loads:
        print(f"busy elsewhere, of one processor: median {statistics.median(loads):.3f}, at most {max(loads):.3f}")


if __name__ == "__main__":
    main()
