"""Run the benchmarks and keep their tables.

make bench                  all: writes results/speed.md, accuracy.md, voices.md, commands.md, … and streaming.md
make bench BENCH=speed      one of them
"""

import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.measure import versions

BENCHMARKS = (
    "speed",
    "accuracy",
    "voices",
    "commands",
    "environment",
    "inputs",
    "own_sounds",
    "music",
    "streaming",
    "scale",
    "live",
)
SEEDS = {
    "speed": "0 to 4; 10 to 14 for the number of epochs",
    "accuracy": "0, 1 and 2",
    "voices": "0 and 1 of the ladder, 0 of the other digits; six draws of speakers",
    "commands": "0 to 2; 0 where the table says so",
    "environment": "0 to 2 on clips as they are, 0 and 1 on changed ones, 0 for the learning rates",
    "inputs": "0, 1 and 2, of the choices 0 to 4; 10 for learning rate and epochs",
    "own_sounds": "0, 1 and 2, each a split of its own",
    "music": "0, 1 and 2; 0 for rate, epochs and centring",
    "streaming": "none is needed",
    "scale": "0, 1 and 2 of the digits that are learned, else 0",
    "live": "none is needed",
}
KEPT = (
    "voices",
    "commands",
    "environment",
    "inputs",
    "own_sounds",
    "music",
)  # tables of pieces that are kept in build/ and may be older; each says there when it was made
PACKAGES = ("tensorflow", "keras", "numpy")
RIVALS = ("torch", "librosa")  # which the speed is measured against
QUIET = 0.5  # load of the machine before a run: with more, times are too long


def main(names):
    """Run each named benchmark in a process of its own, print its tables and write them.

    Raises: SystemExit if there is no such benchmark; then none is run.
    """
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"expected benchmarks among {', '.join(BENCHMARKS)}, found {', '.join(unknown)}")
    (HERE / "results").mkdir(exist_ok=True)
    for name in names:
        what = "report" if name in KEPT else "run"
        before = load()
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            cwd=HERE.parent,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        busy = f"Load of the machine: {said(before)} before the {what}, {said(load())} after it."
        if name not in KEPT and (before or 0) > QUIET:
            busy += f" **The machine was not quiet (more than {QUIET} before the run): times are too long.**"
        report = "Report of " if name in KEPT else ""
        text = f"# Benchmark: {name}\n\n{report}{circumstances(name)} {busy}\n\n{done.stdout}"
        (HERE / "results" / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)


def circumstances(name):
    """When, with what and on what machine the figures were measured; of KEPT, when they were put together.

    Returns: a line.
    """
    packages = versions(*PACKAGES, *(RIVALS if name == "speed" else ()))
    found = ", ".join(f"{package} {version}" for package, version in packages.items())
    return (
        f"{datetime.date.today()}, Python {platform.python_version()}, {found}; {processor()}, {os.cpu_count()} cores, "
        f"{platform.system()}. Seeds: {SEEDS[name]}."
    )


def load():
    """How many programs wanted a core, on average over the last five minutes; a free machine is near 0 before the run.

    Returns: a float, or None where the system does not say.
    """
    return os.getloadavg()[1] if hasattr(os, "getloadavg") else None


def said(load):
    """A load in words."""
    return "unknown" if load is None else f"{load:.1f}"


def processor():
    """The model of the CPU.

    Returns: a text.
    """
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    main(sys.argv[1:] or BENCHMARKS)
