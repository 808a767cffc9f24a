"""The doctor, `python -m course_lib`: what is here, what is wrong, what to do; needs no package."""

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
ARCHIVES = {  # as in data.SETS, for which packages are needed
    "digits": "free-spoken-digit-dataset-26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    "environment": "ESC-10-553c8f1743b9dba6b282e1323c3ca8fa76923448.zip",
    "commands": "speech_commands_subset.zip",
    "many-voices": "speech_commands_digits.zip",
    "music-speech": "gtzan_music_speech_10s.zip",
    "music": "genres.tar.gz",
}
NO_AVX = (-4, 132, 0xC000001D)  # how Linux, a shell and Windows say "illegal instruction"
START = """import tensorflow as tf; details = tf.config.experimental.get_device_details
gpus = [details(gpu).get("device_name") for gpu in tf.config.list_physical_devices("GPU")]
print(f"TensorFlow {tf.__version__} starts, GPU:", gpus or "none, and none is needed")"""


def packages(requirements: str) -> str:
    """Name the packages that are missing, or have another version than is asked for."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return f"The packages are not installed for {sys.executable}: see docs/install.md."
    is_colab = util.find_spec("google") and util.find_spec("google.colab")
    spared = "jupyterlab" if is_colab else ""  # Colab has a page of its own
    installed = {str(each.metadata["Name"]): each.version for each in metadata.distributions()}
    installed.setdefault("tensorflow", installed.get("tensorflow-cpu"))
    wrong = []
    for each in map(Requirement, re.findall(r"^\w[^#\n]*", requirements, re.MULTILINE)):
        found = installed.get(each.name)
        is_needed = each.name != spared and (not each.marker or each.marker.evaluate())
        if is_needed and not (found and each.specifier.contains(found, prereleases=True)):
            wrong.append(f"{each.name} {each.specifier} (found {found})")
    to_do = "python -m pip install -r requirements.txt (on Colab restart the runtime instead)"
    return f"Packages: expected {', '.join(wrong)}: {to_do}." if wrong else ""


def tensorflow() -> tuple[str, str]:
    """Start TensorFlow in a process of its own: what was found, and what is wrong."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip().rpartition("\n")[2], ""
    error = done.stderr.strip().rpartition("\n")[2] or f"it ended with code {done.returncode}"
    error = "no AVX, take another machine or Colab" if done.returncode in NO_AVX else error
    return "TensorFlow does not start", f"TensorFlow does not start: {error} (see docs/faq.md)."


def recordings() -> tuple[str, str]:
    """Look which recordings are here and load nothing: what was found, and what is wrong."""
    given, lines = Path(os.environ.get("COURSE_DATA_DIR", ROOT)), []
    caches = [Path.home() / ".cache", Path(tempfile.gettempdir())]
    places = [given, ROOT / "data" / "downloads", *(cache / "rnn-audio-course" for cache in caches)]
    for name, file in ARCHIVES.items():
        folder = file.removesuffix(".zip").removesuffix(".tar.gz")
        is_real = (given / file).is_file() or any(any(p.glob(f"{folder}/*/*")) for p in places)
        lines.append(f"{name}: {'real recordings' if is_real else 'the stand-in'}")
    is_right = given.is_absolute() and given.is_dir()
    wrong = f"COURSE_DATA_DIR: expected the whole path of a folder, found {given}."
    return "\n".join(lines), "" if is_right else wrong


def main() -> None:
    """Print what this machine has and what is wrong; the user's own folder is shown as ~."""
    python, free = platform.python_version(), shutil.disk_usage(ROOT).free / 1e9
    (starts, wrong_start), (sets, wrong_sets) = tensorflow(), recordings()
    found = [f"Python {python}, {platform.platform()}, {free:.0f} GB free in {ROOT}", starts, sets]
    wrong = [packages((ROOT / "requirements.txt").read_text("utf-8")), wrong_start, wrong_sets]
    if not (3, 10) <= sys.version_info[:2] <= (3, 13) or sys.maxsize < 2**32:
        wrong.append(f"Expected a 64-bit Python 3.10 to 3.13, found {python}: see docs/install.md.")
    wrong += [f"{free:.1f} GB are free, lessons may fill 1 GB: make room."] if free < 1 else []
    wrong = [f"{number}. {sentence}" for number, sentence in enumerate(filter(None, wrong), 1)]
    page = "\n".join([*found, "", *(wrong or ["Nothing was found to be wrong."])])
    print(re.sub(rf"(?<![\w.-]){re.escape(str(Path.home()))}(?![\w-])", "~", page))


if __name__ == "__main__":
    main()
