"""Make one zip for a USB stick: the course, its packages, recordings, and a start script."""

import argparse
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from course_lib import data
from teaching.start import set_up

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bundle"
TOP = "rnn-audio-course"  # the folder in the zip
LINUX = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)] + ["manylinux2014"]  # glibc 2.28
PLATFORMS = {  # as set_up names a computer → its name in uv, and the tags of wheels that run there
    "linux_x86_64": ("x86_64-manylinux_2_28", [f"{tag}_x86_64" for tag in LINUX]),
    "linux_aarch64": ("aarch64-manylinux_2_28", [f"{tag}_aarch64" for tag in LINUX]),
    "win_amd64": ("x86_64-pc-windows-msvc", ["win_amd64"]),
    "macosx_arm64": ("aarch64-apple-darwin", ["macosx_13_0_arm64"]),
    "macosx_x86_64": ("x86_64-apple-darwin", ["macosx_13_0_x86_64"]),
}
NEEDED = ("fsdd", "esc-10")  # sets of recordings that can be fetched
IF_HERE = ("speech-commands-subset", "speech-commands-digits")  # and those that are made by hand


def main() -> None:
    here, python = set_up.this_machine().split("-")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help=f"default: {here}")
    parser.add_argument("--python", action="append", help=f"such as 3.12; default: {python}")
    parser.add_argument("--without-recordings", action="store_true")
    options = parser.parse_args()
    files = {} if options.without_recordings else dict(recordings())
    targets = [(a, b) for a in options.platform or [here] for b in options.python or [python]]
    for target in targets:
        files |= {f"wheels/{path.name}": path for path in packages(*target)}
    path = write(["-".join(target) for target in targets], files)
    print(f"{path}: {path.stat().st_size / 1e6:,.0f} MB")


def recordings() -> Iterator[tuple[str, Path]]:
    """Find the files of the recordings of lessons 00 to 12, 14 and 15; fetch them if need be."""
    for name in (*NEEDED, *IF_HERE):
        try:
            folder = Path(data.load(name)["path"].iloc[0]).parents[1]
        except data.Unavailable as reason:
            if name in NEEDED:
                sys.exit(f"{reason}\nTo make the zip without real recordings: --without-recordings")
            print(f"{name} is left out: {reason}")
            continue
        for path in (each for each in folder.rglob("*") if each.is_file()):
            yield f"recordings/{folder.name}/{path.relative_to(folder).as_posix()}", path


def packages(computer: str, python: str) -> Iterator[Path]:
    """Download the packages of a computer; uv finds the versions, as pip knows only this one."""
    uv_name, tags = PLATFORMS[computer]
    lines = (ROOT / "requirements.txt").read_text().replace("-e .", "pip\nsetuptools")
    if computer == "linux_x86_64":  # the package without a graphics processor is much smaller
        lines = re.sub("^tensorflow(?=[=>])", "tensorflow-cpu", lines, flags=re.MULTILINE)
    options = ["--only-binary=:all:", f"--python-version={python}"]
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "-q", "--no-header", *options]
    command += ["--no-annotate", f"--python-platform={uv_name}"]
    pins = subprocess.run(command, input=lines, capture_output=True, text=True)
    if pins.returncode:
        sys.exit(f"no packages for {computer} with Python {python}:\n{pins.stderr}")
    folder = BUILD / "wheels" / f"{computer}-{python}"
    shutil.rmtree(folder, ignore_errors=True)  # it may hold older versions
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.txt").write_text(pins.stdout, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", f"--dest={folder}"]
    command += ["--implementation=cp", *options, *(f"--platform={tag}" for tag in tags)]
    if subprocess.run([*command, *pins.stdout.split()]).returncode:
        sys.exit("The packages could not be downloaded; pip says why above")
    return folder.iterdir()


def write(targets: list[str], files: dict[str, Path]) -> Path:
    """Write the zip: the course as git has it, the files, and the start scripts."""
    path = BUILD / f"{TOP}-{'-'.join(targets)}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["git", "archive", f"--prefix={TOP}/course/", f"--output={path}", "HEAD"]
    subprocess.run(command, cwd=ROOT, check=True)
    with zipfile.ZipFile(path, "a") as whole:
        for name, file in files.items():
            whole.write(file, f"{TOP}/{name}")
        for file in Path(set_up.__file__).parent.glob("*.*"):
            text = file.read_text(encoding="utf-8").replace("{targets}", ", ".join(targets))
            ends = "\r\n" if file.suffix in (".bat", ".txt") else "\n"  # Windows reads these
            member = zipfile.ZipInfo.from_file(file, f"{TOP}/{file.name}")
            whole.writestr(member, text.replace("\n", ends))
    return path


if __name__ == "__main__":
    main()
