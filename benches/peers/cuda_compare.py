"""Diabolo and Torch on a GPU, in turn: Torch eager, compiled, and its whole step captured by hand as one graph.

In: cells, each a workload, rows a batch and a precision; runs. Out: a table of medians, spread and ratios beside the aims, and
every run as a line of JSON. Never: a run of one beside another, or a failure where there is no GPU: it says so. Torch steps on the
same rows again and again; Diabolo gathers new ones at each step, and so has the more to do.
"""

import argparse
import contextlib
import gc
import json
import pathlib
import statistics
import subprocess
import sys
import time

try:
    import torch
except ImportError:
    torch = None

HERE = pathlib.Path(__file__).resolve().parent
# Microseconds a step on an H200.
AIMS = {
    "W3:128:tf32": 60,
    "W3:4096:tf32": 110,
    "W4:1024:tf32": 130,
    "W4:65536:tf32": 3200,
    "sparse:8192:bf16": 26000,
}
CELLS = [*AIMS, "sparse_dense:8192:bf16", "W3:128:f32", "W3:4096:f32", "W4:1024:f32", "W4:65536:f32"]
MODES = ["eager", "compiled", "graph", "graph of compiled"]
# The steps of a window, and the elements of its data at most, as `cuda_step` has them in an epoch.
STEPS, ELEMENTS = 64, 1 << 28
WINDOWS = 10


def module(workload, precision, tiny):
    """The loss of a workload, and the width of its rows."""
    from torch_models import WORKLOADS, Sparse
    from torch_sparse import Gathered

    if not workload.startswith("sparse"):
        model, shape = WORKLOADS[workload]()
        return model, shape[1:]
    width, codes, kept = (64, 512, 8) if tiny else (4096, 131072, 64)
    if workload == "sparse":
        return Gathered(kept, width, codes, torch.bfloat16 if precision == "bf16" else torch.float32), (width,)
    return Sparse(kept, width, codes), (width,)


def stepper(mode, workload, batch, precision, device):
    """A function that makes one step of Adam and returns its loss, which is not waited for."""
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("highest" if precision == "f32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "f32"
    with torch.device(device):
        model, shape = module(workload, precision, tiny=device == "cpu")
        x = torch.rand(batch, *shape)
    objective = model
    if "compiled" in mode:
        own = "max-autotune" if mode == "compiled" else "max-autotune-no-cudagraphs"
        objective = torch.compile(model, mode=own)
    captured = mode.startswith("graph")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=captured)

    def loss_of():
        if precision != "bf16":
            return objective(x)
        # A cache of weights in bfloat16 would not outlive a capture.
        with torch.autocast(device, torch.bfloat16, cache_enabled=False):
            return objective(x)

    def step():
        if mode == "compiled":
            torch.compiler.cudagraph_mark_step_begin()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return capture(step, optimizer) if captured else step


def capture(step, optimizer):
    """The whole step as one graph, captured as Torch's notes on CUDA describe."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(11):
            step()
    torch.cuda.current_stream().wait_stream(side)
    # The gradients are to be of the graph's own memory.
    optimizer.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss

    return replay


def window(step, steps, device):
    """Microseconds a step, of so many without a look at their losses; and the last loss."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    for _ in range(steps):
        loss = step()
    wait()
    return 1e6 * (time.perf_counter() - start) / steps, float(loss)


def first_line(error):
    """What went wrong, in one line."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


def steps_of(cell, device):
    """The steps of a window."""
    workload, batch, _ = cell.split(":")
    width = 4096 if workload.startswith("sparse") else 784
    return 2 if device == "cpu" else max(1, min(STEPS, ELEMENTS // (width * int(batch))))


def torch_run(step, cell, device):
    """One run of Torch: its median window."""
    windows = WINDOWS if device == "cuda" else 3
    times, losses = zip(*(window(step, steps_of(cell, device), device) for _ in range(windows)))
    return dict(med=statistics.median(times), min=min(times), max=max(times), loss=losses[-1])


def diabolo_run(step, cell):
    """One run of Diabolo: its line, or why there is none."""
    workload, batch, precision = cell.split(":")
    # Two epochs warm up.
    if torch:
        # What Torch keeps for later is memory that Diabolo may need.
        torch.cuda.empty_cache()
    command = [str(step), "sparse" if workload == "sparse_dense" else workload, batch, precision, str(WINDOWS + 2)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        last = (done.stderr + done.stdout).strip().splitlines()[-1:] or ["no line"]
        raise RuntimeError(last[0])
    return json.loads(lines[-1])


def nothing(step):
    """The line that says that there is no GPU, or none."""
    if step.exists():
        said = subprocess.run([str(step), "W1", "64", "f32", "4"], capture_output=True, text=True).stdout
        return next((line for line in said.splitlines() if line.startswith("skipped: ")), None)
    if torch is None or torch.cuda.is_available():
        return None
    try:
        torch.cuda.init()
        return "skipped: no CUDA device (Torch sees none)"
    except (RuntimeError, AssertionError) as error:
        return f"skipped: no CUDA device ({first_line(error)})"


def clocks():
    """The GPU, its driver and its clocks, as NVIDIA's tool says them."""
    query = "--query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.draw,temperature.gpu"
    try:
        done = subprocess.run(["nvidia-smi", query, "--format=csv,noheader", "--id=0"], capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def measure(cell, asked):
    """All runs of a cell, by peer; a peer that fails is left out, and says why."""
    workload, batch, precision = cell.split(":")
    steps, medians, gone = {}, {}, set()
    for mode in asked.modes if torch else []:
        try:
            step = stepper(mode, workload, int(batch), precision, asked.device)
            # Warm: compiled, and its graphs recorded.
            for _ in range(3):
                window(step, steps_of(cell, asked.device), asked.device)
            steps[f"torch {mode}"] = lambda step=step: torch_run(step, cell, asked.device)
        except Exception as error:  # noqa: BLE001: out of memory, or what cannot be compiled or captured
            print(f"torch {mode}, {cell}: {first_line(error)}", file=sys.stderr)
    if asked.device == "cuda" and asked.step.exists():
        steps["diabolo"] = lambda: diabolo_run(asked.step, cell)
    # In turn, so that what changes about the machine changes for all.
    for _ in range(asked.runs):
        for peer, run in steps.items():
            if peer in gone:
                continue
            try:
                line = run()
            except Exception as error:  # noqa: BLE001
                print(f"{peer}, {cell}: {first_line(error)}", file=sys.stderr)
                gone.add(peer)
                continue
            medians.setdefault(peer, []).append(line["med"])
            if asked.json:
                with asked.json.open("a") as out:
                    out.write(json.dumps(dict(line, peer=peer, cell=cell, clocks=clocks())) + "\n")
    return {peer: all for peer, all in medians.items() if peer not in gone}


def row(cell, medians):
    """A line of the table."""
    text = lambda all: f"{statistics.median(all):.4g} ({min(all):.4g}–{max(all):.4g})"
    own, peers = medians.get("diabolo"), {peer: all for peer, all in medians.items() if peer != "diabolo"}
    best = min((statistics.median(all) for all in peers.values()), default=None)
    ratio = f"{best / statistics.median(own):.2f}" if own and best else "–"
    columns = [text(medians[f"torch {mode}"]) if f"torch {mode}" in medians else "–" for mode in MODES]
    return "| " + " | ".join([*cell.split(":"), str(AIMS.get(cell, "–")), text(own) if own else "–", ratio, *columns]) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", nargs="+", default=CELLS, help="WORKLOAD:ROWS:PRECISION; sparse_dense is Torch's plain way")
    parser.add_argument("--modes", nargs="+", default=MODES[:3], choices=MODES, help="of Torch")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="cpu: tiny sizes, Torch alone, to try this script")
    parser.add_argument("--step", type=pathlib.Path, default=HERE.parents[1] / "target/release/cuda_step")
    parser.add_argument("--json", type=pathlib.Path, help="where every run goes, a line each")
    asked = parser.parse_args()
    if asked.device == "cuda":
        line = nothing(asked.step)
        if line:
            print(line)
            return
        if not asked.step.exists():
            print(f"{asked.step} is missing: cargo build --release -p diabolo-benches", file=sys.stderr)
    if torch is None:
        print("Torch is not installed: Diabolo alone", file=sys.stderr)
    print(f"before: {clocks()}")
    print(f"microseconds a step, median of {asked.runs} runs (lowest to highest median); ratio: best of Torch to Diabolo\n")
    print("| | batch | precision | aim, H200 | diabolo | ratio | " + " | ".join(f"torch {mode}" for mode in MODES) + " |")
    print("| - " * (6 + len(MODES)) + "|")
    for cell in asked.cells:
        print(row(cell, measure(cell, asked)), flush=True)
        gc.collect()
        if torch:
            torch.compiler.reset()
            with contextlib.suppress(RuntimeError, AssertionError):
                torch.cuda.empty_cache()
    # Taken at once, while the clock is still that of the work.
    print(f"\nafter: {clocks()}")
    if torch:
        print(f"torch {torch.__version__}, CUDA {torch.version.cuda}")


if __name__ == "__main__":
    main()
