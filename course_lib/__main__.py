"""The doctor: `python -m course_lib` says what this machine has, what is wrong, and what to do.

It needs Python's own modules only, since it has to speak when a package is missing or broken.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_AVX = (-4, 132, 0xC000001D)  # how Linux, a shell and Windows say "illegal instruction"
START = """import tensorflow as tf; details = tf.config.experimental.get_device_details
gpus = [details(gpu).get("device_name") for gpu in tf.config.list_physical_devices("GPU")]
print(f"{tf.__version__} starts; GPU:", gpus or "none, and none is needed")"""


def packages(requirements: str) -> list[str]:
    """Name the packages that are missing, or have another version than is asked for."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [f"The packages are not installed for {sys.executable}: see docs/install.md."]
    is_colab = util.find_spec("google") and util.find_spec("google.colab")
    installed = {each.metadata["Name"].lower(): each.version for each in metadata.distributions()}
    installed.setdefault("tensorflow", installed.get("tensorflow-cpu"))
    wrong = []
    for each in map(Requirement, re.findall(r"^\w[^#\n]*", requirements, re.MULTILINE)):
        found = installed.get(each.name)
        if each.marker and not each.marker.evaluate() or is_colab and each.name == "jupyterlab":
            continue
        if not (found and each.specifier.contains(found, prereleases=True)):
            wrong.append(f"{each.name} {each.specifier} (found {found or 'none'})")
    to_do = "type python -m pip install -r requirements.txt (on Colab restart the runtime instead)"
    return [f"Packages: expected {', '.join(wrong)}: {to_do}."] if wrong else []


def tensorflow() -> tuple[str, list[str]]:
    """Start TensorFlow in a process of its own: a line on it and the GPU, and what is wrong."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip().splitlines()[-1], []
    if done.returncode in NO_AVX:
        return "does not start", ["This processor has no AVX: take another machine, or Colab."]
    last = done.stderr.strip().rpartition("\n")[2]
    return "does not start", [
        f"TensorFlow does not start: {last or done.returncode}: see docs/faq.md."
    ]


def recordings() -> tuple[list[str], list[str]]:
    """Say which recordings each set has here, a line each, and what is wrong; load nothing."""
    given, wrong, lines = os.environ.get("COURSE_DATA_DIR", ""), [], []
    if given and not (os.path.isabs(given) and os.path.isdir(given)):
        wrong.append(f"COURSE_DATA_DIR: expected the whole path of a folder, found {given}.")
    try:
        from course_lib import data
    except Exception as error:  # a broken package fails in many ways
        return [], [*wrong, f"A package does not load ({error}): set the course up again."]
    caches = [Path.home() / ".cache", Path(tempfile.gettempdir())]
    places = [data.DATA / "downloads", *(cache / "rnn-audio-course" for cache in caches)]
    for name in ("digits", "environment", "commands", "music"):
        archive, stand_in = data.SETS[name].archive, data.SETS[name].stand_in
        folder = archive.file.removesuffix(".zip").removesuffix(".tar.gz")
        folders = [place / folder for place in [*places, Path(given or places[0])]]
        is_real = given and os.path.isfile(Path(given) / archive.file)
        is_real = is_real or any(any(each.glob("*/*")) for each in folders)
        lines.append(f"{name}: " + ("real recordings" if is_real else f"stand-in {stand_in}"))
        if not (data.DATA / stand_in / "clips.csv").is_file():
            wrong.append(f"data/{stand_in} is missing: get the course again.")
    return lines, wrong


def main() -> None:
    """Print what this machine has and what is wrong; the user's own folder is shown as ~."""
    python, free = platform.python_version(), shutil.disk_usage(ROOT).free / 1e9
    (starts, wrong_start), (sets, wrong_sets) = tensorflow(), recordings()
    asked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    wrong = [*packages(asked), *wrong_start, *wrong_sets]
    if not (3, 10) <= sys.version_info[:2] <= (3, 13) or sys.maxsize < 2**32:
        wrong.append(f"Expected a 64-bit Python 3.10 to 3.13, found {python}: see docs/install.md.")
    if free < 1:
        wrong.append(f"{free:.1f} GB are free on the disk, lessons may fill 1 GB: make room.")
    lines = [f"Python      {python}, {platform.platform()}", f"TensorFlow  {starts}"]
    lines += [f"recordings  {line}" for line in sets] + [f"folder      {ROOT}, {free:.0f} GB free"]
    lines += ["", *(f"{number}. {sentence}" for number, sentence in enumerate(wrong, 1))]
    lines += [] if wrong else ["Nothing was found to be wrong."]
    home = rf"(?<![\w.-]){re.escape(str(Path.home()))}(?![\w-])"
    print(re.sub(home, "~", "\n".join(lines)))


if __name__ == "__main__":
    main()
