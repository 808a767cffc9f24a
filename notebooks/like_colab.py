"""What a notebook finds on Colab, made on this machine: the course's address, an environment, and the packages that it may use."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from notebooks import published

STAND_IN = Path(__file__).resolve().parent / "stand_in"
KERNEL = ["--log-level=ERROR", "--IPKernelApp.kernel_class=google.colab._kernel.Kernel", "--IPKernelApp.extensions=['google.colab']"]
COLAB = {"COLAB_RELEASE_TAG": "release-colab_stand-in", "COLAB_BACKEND_VERSION": "next", "COLAB_GPU": "", "COLAB_JUPYTER_IP": "127.0.0.1"}
QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # no note on the debugger that a kernel brings
PASSED_ON = ["PATH", "LANG", "LC_ALL", "TZ", "COURSE_DATA_DIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy"]
SETUP = "notebooks/src/setup_course.py"
ADDRESS = re.compile(r'(REPOSITORY, BRANCH = \\?"\w+\\?", \\?")([^"\\]+)(\\?", \\?")([^"\\]+)')  # as it stands in the set-up cell, and in a notebook's file
NAME = "course/proof"  # the public repository's owner and name in what is proved, since the set-up cell takes no course from OWNER/NAME
NOTEBOOK = re.compile(r"notebooks/(?:solutions/)?\d\d_\w+\.ipynb")


def remote(course, scratch, *, working_tree=False):
    """Make the repository that stands in for the public one: the last commit or, on request, the files as they are.

    Args: course: a working copy. Returns: its path below `scratch`, which ends in owner/name as the public address does; and which of the two it is.
    A course that came without git, as a ZIP, has no last commit, and ends the program with a sentence.
    """
    if not working_tree and not (course / ".git").exists():
        sys.exit("expected a git clone, whose last commit is proved, found none; prove the files as they are: .venv-colab/bin/python notebooks/prove.py --working-tree")
    bare = scratch / "remote" / NAME
    git = ["git", f"--git-dir={bare}"]
    if working_tree:
        subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
        files = [*git, f"--work-tree={course}", "-c", "user.name=proof", "-c", "user.email=proof@localhost"]
        subprocess.run([*files, "add", "--all"], cwd=course, check=True)
        subprocess.run([*files, "commit", "--quiet", "--message=the files as they are"], cwd=course, check=True)
    else:
        subprocess.run(["git", "clone", "--quiet", "--bare", course, bare], check=True)
    commit = _answer([*git, "rev-parse", "HEAD"]).decode().strip()
    branch = ADDRESS.search(_answer([*git, "show", f"HEAD:{SETUP}"]).decode())[4]
    subprocess.run([*git, "update-ref", f"refs/heads/{branch}", commit], check=True)
    return bare, "the files as they were" if working_tree else f"commit {commit[:7]}"


def extracted(bare, scratch):
    """The notebooks of a repository and its set-up cell, each on its own path below `scratch`, with the address NAME; in order, a lesson's two beside each other.

    Raises: ValueError if a lesson has one and not the other.
    """
    git = ["git", f"--git-dir={bare}"]
    names = [name for name in _answer([*git, "ls-tree", "-r", "--name-only", "HEAD"]).decode().splitlines() if NOTEBOOK.fullmatch(name)]
    alone = [name for name in names if sum(Path(name).name == Path(other).name for other in names) != 2]
    if alone:
        raise ValueError(f"expected a learner's and a solved notebook for each lesson, found only {', '.join(alone)}")
    for name in [*names, SETUP]:
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        text = _answer([*git, "show", f"HEAD:{name}"]).decode()
        (scratch / name).write_text(ADDRESS.sub(rf"\g<1>{NAME}\g<3>\g<4>", text), encoding="utf-8")
    return [scratch / name for name in sorted(names, key=lambda name: (Path(name).name, name))]


def environment(scratch):
    """The environment variables of a kernel: few of ours, folders of its own, Colab's, and git's, which lead to the repository on this machine."""
    folders = {name: str(scratch / name.lower()) for name in ["HOME", "TMPDIR"]}
    for folder in folders.values():
        os.makedirs(folder, exist_ok=True)
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1"}
    redirect = {"GIT_CONFIG_KEY_0": f"url.file://{scratch}/remote/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/"}
    known = {name: os.environ[name] for each in PASSED_ON for name in (each, each.upper()) if name in os.environ}
    return {**known, **COLAB, **QUIET, **git, **redirect, **folders, "PYTHONPATH": str(STAND_IN)}


def not_as_asked(asked):
    """The packages of a requirements file that are not here in the version that it states.

    Returns: a list of text: name, version, the one asked for.
    """
    here = {published.normalised(each.name): each.version for each in metadata.distributions()}
    return [f"{name} {here.get(name, 'missing')} ({version})" for name, version in published.versions(asked).items() if version and here.get(name) != version]


def reached(asked):
    """The packages of a requirements file that are here, and what these need in turn.

    Returns: a set of normalised names.
    """
    found, waiting = {"pip", "setuptools"}, [Requirement(line.partition("#")[0]) for line in asked.splitlines() if re.match(r"\w", line)]
    while waiting:
        one = waiting.pop()
        name = published.normalised(one.name)
        if name not in found and any(metadata.distributions(name=one.name)):
            found.add(name)
            needed = [Requirement(line) for line in metadata.requires(one.name) or []]
            waiting += [each for each in needed if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in ["", *one.extras])]
    return found


def _answer(command):
    return subprocess.run(command, check=True, capture_output=True).stdout
