"""The proof that notebooks run as on Colab: what it finds out, what its record says; and the workflow that repeats it."""

import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

from course_lib import diagnosis
from notebooks import build, like_colab, prove, published, shared
from notebooks.stand_in import witness

ROOT = build.ROOT
sys.path.insert(0, str(ROOT / "teaching"))

import bundle

WORKFLOW = ROOT / ".github" / "workflows" / "colab.yml"
GREET = 'def greet(lesson):\n    print("proved on 2026-01-01 with these versions: none")\n    print("GPU: none, and none is needed")\n'
LESSON = '''# %% [markdown]
# # Example
# %% tags=["setup"]
import setup_course
# %%
import sys
from course_lib import diagnosis
# %% tags=["solution"]
answer = 42
# %% tags=["check"]
assert answer == 42, "what is six times seven?"
# %%
print("digits: 3,000 clips, 6 speakers, Free Spoken Digit Dataset, CC BY-SA 4.0")
'''
OF = {"05": {"its code or helpers": "0123"}}
SAID = {"processor": 80.6, "memory": 2**30, "gpus": 0, "used": [], "installed": []}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson, committed, with the set-up cell of the real one; a function from the lesson's text to its two notebooks."""
    folder, scratch = tmp_path / "course of mine", tmp_path / "scratch"
    for name in ["course_lib", "notebooks/src"]:
        (folder / name).mkdir(parents=True)
    scratch.mkdir()
    (folder / "course_lib" / "diagnosis.py").write_text(GREET, encoding="utf-8")
    shutil.copy(build.SETUP, folder / "notebooks" / "src")
    places = {"NOTEBOOKS": folder / "notebooks", "ROOT": folder, "SOURCES": folder / "notebooks/src", "SETUP": folder / "notebooks/src/setup_course.py", "GLOSSARY": folder / "GLOSSARY.md"}
    for name, value in places.items():
        monkeypatch.setattr(build, name, value)

    def notebooks(text=LESSON):
        source = folder / "notebooks" / "src" / "77_example.py"
        source.write_text(text, encoding="utf-8")
        whole = build.compose(source)
        for path, notebook in [(build.learner_path(source), build.learner(whole)), (build.solutions_path(source), whole)]:
            path.parent.mkdir(exist_ok=True)
            nbformat.write(notebook, path)
        commit(folder)
        bare, _ = like_colab.remote(folder, scratch)
        return like_colab.extracted(bare, scratch)

    notebooks.scratch, notebooks.folder = scratch, folder
    return notebooks


def commit(folder):
    """Commit all that is in a folder."""
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)


def proofs(course, paths):
    """The Proofs of notebooks, one after the other."""
    surroundings = like_colab.environment(course.scratch)
    return [prove.prove(path, scratch=course.scratch, surroundings=surroundings, allowed=like_colab.reached(prove.ASKED.read_text(encoding="utf-8"))) for path in paths]


def with_cell(code):
    """The example with one more cell at its end."""
    return f"{LESSON}# %%\n{code}\n"


# What the proof finds out


def test_both_notebooks_pass_and_say_what_they_took(course):
    learner, solved = proofs(course, course())
    assert (learner.faults, solved.faults) == ([], [])
    assert (learner.name, solved.name) == ("77_example", "solutions/77_example")
    assert solved.recordings == {("digits", "Free Spoken Digit Dataset")}
    assert 0 < solved.said["processor"] and 2**24 < solved.said["memory"] < 2**34 and solved.said["gpus"] == 0
    assert "ipython" in solved.said["used"] and "proved" in solved.line()
    assert not list(course.scratch.glob("content-*")), "the folder of a notebook goes when it has run"


def ran_alone(course, code):
    """The last cell of the example, with this code, after the notebook has run in a folder of its own."""
    learner, _ = course(with_cell(code))
    notebook, alone = nbformat.read(learner, as_version=4), course.scratch / "alone"
    notebook.cells = [cell for cell in notebook.cells if "check" not in cell.metadata.get("tags", [])]
    alone.mkdir()
    shutil.copy(learner, alone)
    assert prove.run(notebook, alone, like_colab.environment(course.scratch)) == []
    return notebook.cells[-1]


LOOK = """import os
from pathlib import Path
from google.colab import drive, files, output
for refused in [drive.mount, files.upload, files.download, output.eval_js]:
    try:
        refused("here")
    except NotImplementedError as error:
        print(error)
print(sorted(path.name for path in Path().iterdir()), "google.colab" in str(get_ipython()), "COLAB_RELEASE_TAG" in os.environ)
print(Path.home(), os.environ.get("OF_OURS"), any(name in sys.modules for name in ["build", "notebooks"]))"""


def test_notebook_finds_colab_and_an_empty_folder(course, monkeypatch):
    monkeypatch.setenv("OF_OURS", "no kernel should see it")
    lines = prove.printed(ran_alone(course, LOOK)).splitlines()
    assert [line.split(": ")[0] for line in lines[:4]] == [f"google.colab.{name}" for name in ["drive.mount", "files.upload", "files.download", "output.eval_js"]]
    assert lines[4:] == ["['77_example.ipynb', 'course'] True True", f"{course.scratch / 'home'} None False"]


def test_stand_in_is_nowhere_but_in_the_kernel():
    done = subprocess.run([sys.executable, "-c", "import notebooks.prove, google.colab"], cwd=ROOT, capture_output=True, text=True)
    assert "No module named 'google.colab'" in done.stderr or "No module named 'google'" in done.stderr
    assert "google.colab" not in sys.modules


def test_widget_turns_to_colabs_manager(course):
    """anywidget looks for Colab's widget manager by names of its own; its address goes along with what a cell shows."""
    (output,) = ran_alone(course, "import anywidget\nanywidget.AnyWidget()").outputs
    assert output.metadata[shared.WIDGET]["colab"]["custom_widget_manager"]["url"].startswith("https://")


def test_failing_cell_and_all_else_that_is_wrong_is_named(course):
    learner, solved = proofs(course, course(with_cell("print('careful', file=sys.stderr)\n1 / 0")))
    for proof in (learner, solved):
        assert [re.sub(r"^cell \d+: ", "", fault) for fault in proof.faults] == ["wrote to the error stream: 'careful\\n'", "ZeroDivisionError: division by zero"]
        assert "FAILED\n    cell 8: wrote" in proof.line() and not proof.said


@pytest.mark.parametrize("code, fault", [("sys.modules['witness'] = None", "; ModuleNotFoundError: "), ("import witness; witness.report = lambda: 1 / 0", "; ZeroDivisionError: ")])
def test_witness_that_says_nothing_proves_nothing(course, code, fault):
    _, solved = course(with_cell(code))
    (proof,) = proofs(course, [solved])
    assert len(proof.faults) == 1 and proof.faults[0].startswith("the witness said nothing, so what was installed and used is not known" + fault)
    assert "FAILED" in proof.line() and not proof.said


def test_what_a_package_carries_inside_is_no_package_of_the_machine(monkeypatch, tmp_path):
    """Python 3.12's setuptools puts such a folder on the path when it is first imported, in the middle of a proof."""
    for folder, name in [("_vendor", "carried"), ("site", "brought")]:
        (tmp_path / folder / f"{name}-1.0.dist-info").mkdir(parents=True)
        (tmp_path / folder / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert "brought==1.0" in witness.installed() and "carried==1.0" not in witness.installed()


def test_witness_is_heard_among_other_words():
    text = f"a line\n{{not ours}}\nmore {witness.MARK}{{\"gpus\": 0}}\nand more"
    assert prove.heard(text) == {"gpus": 0} and prove.heard('{"gpus": 0}') == {}


def test_check_that_a_blank_passes_is_found_out(course):
    learner, solved = proofs(course, course(LESSON.replace("assert answer == 42,", "assert answer is not None,")))
    assert learner.faults == ["cell 6: expected the check of a blank exercise to fail, found that it passed"] and solved.faults == []


def test_check_that_fails_without_a_hint_or_otherwise_is_found_out(course):
    learner, _ = course(LESSON.replace('answer == 42, "what is six times seven?"', "answer.real == 42"))
    (proof,) = proofs(course, [learner])
    assert proof.faults == ["""cell 6: expected AssertionError with a hint, found AttributeError: "'ellipsis' object has no attribute 'real'\""""]


def wheel(folder):
    """A package that pip can install without a network."""
    path = folder / "tiny_package_of_ours-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny_package_of_ours.py", "")
        file.writestr("tiny_package_of_ours-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-package-of-ours\nVersion: 1.0\n")
        file.writestr("tiny_package_of_ours-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny_package_of_ours-1.0.dist-info/RECORD", "tiny_package_of_ours.py,,\n")
    return path


def test_installation_is_found_out_in_the_text_and_in_what_it_did(course, tmp_path):
    code = f"import subprocess\nsubprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-index', '--target=.', {str(wheel(tmp_path))!r}], check=True)\nimport tiny_package_of_ours"
    _, solved = course(with_cell(code))
    (proof,) = proofs(course, [solved])
    assert proof.faults == [
        "cell 8: installs something: pip', 'install",
        "the packages changed while it ran: tiny-package-of-ours==1.0",
        "it used what requirements-colab.txt does not bring: tiny-package-of-ours",
    ]


@pytest.mark.parametrize("code", ["!pip install x", "%pip install -q x", "os.system('uv pip install x')", "!apt-get -y install x"])
def test_words_that_install(code):
    cell = nbformat.v4.new_code_cell(code)
    assert prove.faults_of(cell)[0].startswith("installs something: ")
    assert prove.faults_of(nbformat.v4.new_code_cell("print('pipeline installed')\nx = pip = 1")) == []


def test_first_cell_has_to_greet(course):
    (course.folder / "course_lib" / "diagnosis.py").write_text("def greet(lesson):\n    print('hello')\n", encoding="utf-8")
    _, solved = course()
    (proof,) = proofs(course, [solved])
    assert proof.faults == ["cell 3: expected two lines, on the versions and on the GPU, found 'hello\\n'"]


def test_what_the_real_first_cell_prints_is_what_is_expected(capsys):
    diagnosis.greet("01")
    assert prove.GREETING.fullmatch(capsys.readouterr().out)


# What surrounds a notebook


def test_set_up_cell_takes_no_course_from_an_address_that_is_nobodys(tmp_path):
    """OWNER/NAME is an example, and whoever has that name on the web is not asked."""
    code = build.SETUP.read_text(encoding="utf-8").replace(build.address()[0], "/".join(["OWNER", "NAME"]))
    (tmp_path / "git").write_text("#!/bin/sh\necho git was called\n")
    (tmp_path / "git").chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode and done.stdout == "" and "AssertionError: no course here, and no address above: open this notebook in the course's folder" in done.stderr


def test_what_is_proved_has_an_address_of_its_own(course):
    paths = course()
    for path in [*paths, course.scratch / like_colab.SETUP]:
        text = path.read_text(encoding="utf-8")
        assert like_colab.ADDRESS.search(text)[2] == like_colab.NAME and build.address()[1] == like_colab.ADDRESS.search(text)[4]
        assert path.suffix == ".py" or build.address()[0] not in nbformat.reads(text, as_version=4).cells[1].source


def test_course_without_git_is_told_how_to_be_proved(course):
    course()
    shutil.rmtree(course.folder / ".git")
    (course.scratch / "again").mkdir()
    with pytest.raises(SystemExit, match="expected a git clone, .*prove.py --working-tree"):
        like_colab.remote(course.folder, course.scratch / "again")
    assert like_colab.remote(course.folder, course.scratch / "again", working_tree=True)[1] == "the files as they were"


def test_repository_is_the_commit_or_the_files_as_they_are(course):
    course()
    (course.folder / "new.txt").write_text("new", encoding="utf-8")
    before = subprocess.run(["git", "-C", course.folder, "status", "--porcelain"], capture_output=True).stdout
    (course.scratch / "again").mkdir()
    bare, state = like_colab.remote(course.folder, course.scratch / "again", working_tree=True)
    assert state == "the files as they were" and subprocess.run(["git", "-C", course.folder, "status", "--porcelain"], capture_output=True).stdout == before
    lists = [subprocess.run(["git", f"--git-dir={place}", "ls-tree", "--name-only", build.address()[1]], capture_output=True, text=True).stdout for place in (bare, course.scratch / "remote" / like_colab.NAME)]
    assert ["new.txt" in names for names in lists] == [True, False]


def test_lesson_without_its_solutions_is_refused(course):
    course()
    next((course.folder / "notebooks" / "solutions").iterdir()).unlink()
    commit(course.folder)
    (course.scratch / "again").mkdir()
    bare, _ = like_colab.remote(course.folder, course.scratch / "again")
    with pytest.raises(ValueError, match="found only notebooks/77_example.ipynb"):
        like_colab.extracted(bare, course.scratch)


def test_packages_that_are_needed_in_turn_are_reached():
    found = like_colab.reached("nbclient>=0.5\nno-such-package-of-ours\n# a remark\n")
    assert {"nbclient", "nbformat", "traitlets", "jupyter-client", "pip"} <= found and "no-such-package-of-ours" not in found and "pytest" not in found


def test_other_versions_than_asked_are_named():
    here = nbformat.__version__
    assert like_colab.not_as_asked(f"nbformat=={here}\nnbclient\n") == []
    assert like_colab.not_as_asked("nbformat==0.0.1\nno-such-package-of-ours==2\n") == [f"nbformat {here} (0.0.1)", "no-such-package-of-ours missing (2)"]


def test_owner_of_a_loaded_module_is_known():
    used = witness.used()
    assert {"pytest", "nbformat", "PyYAML"} <= set(used) and "no-such-package-of-ours" not in used
    assert any(name.startswith("pytest==") for name in witness.installed())


# The record


def a_proof(name, **said):
    return prove.Proof(name, [], 12.3, {("digits", "Free Spoken Digit Dataset")}, {**SAID, **said})


def test_some_lessons_renew_their_seconds_and_no_date():
    record = {"stacks": {"3.9": {"date": "2026-01-01"}}, "lessons": {"05": {"processor": 5, "gpu": 3}, "06": {"processor": 6, "gpu": None}}, "tests": {"3.10": 1}}
    new = prove.merged(record, [a_proof("05_b"), a_proof("solutions/05_b"), a_proof("solutions/01_a", processor=0.2)], OF)
    assert new["lessons"] == {"01": {"processor": 1, "gpu": None}, "05": {"processor": 81, "gpu": 3}, "06": {"processor": 6, "gpu": None}}
    assert list(new["lessons"]) == ["01", "05", "06"] and new["stacks"] == record["stacks"] and new["tests"] == record["tests"]


def test_whole_course_renews_date_and_versions_of_this_python_alone():
    old = {"stacks": {"3.9": {"date": "2020-01-01"}}}
    new = prove.merged(old, [a_proof("solutions/01_a", gpus=1)], OF, how="so")
    (minor,) = set(new["stacks"]) - {"3.9"}
    assert minor == "%d.%d" % sys.version_info[:2] and new["stacks"]["3.9"] == {"date": "2020-01-01"}
    assert set(new["stacks"][minor]["versions"]) == {"python", *diagnosis.COMPARED} and new["stacks"][minor]["how"] == "so"
    assert new["lessons"] == {"01": {"processor": None, "gpu": 12}}
    assert (new["stacks"][minor]["notebooks"], new["stacks"][minor]["recordings"], new["stacks"][minor]["of"]) == (1, "real: digits", OF)
    assert diagnosis.compared(new["stacks"], diagnosis.here()).startswith("proved on 20")


def test_some_lessons_renew_what_they_were_made_of_and_no_others():
    minor = "%d.%d" % sys.version_info[:2]
    old = {"date": "2026-01-01", "versions": diagnosis.here(), "of": {"05": {"a": "old"}, "06": {"a": "old"}}}
    assert prove.merged({"stacks": {minor: old}}, [a_proof("solutions/05_b")], OF)["stacks"] == {minor: {**old, "of": {**OF, "06": {"a": "old"}}}}
    others = {"stacks": {minor: {**old, "versions": {**old["versions"], "keras": "0.1"}}}}
    assert prove.merged(others, [a_proof("solutions/05_b")], OF)["stacks"] == others["stacks"], "with other versions it was not proved on that day"


def test_lessons_that_have_changed_since_are_named_with_the_command():
    numbers = ["01", "05", "06"]
    record = {"stacks": {prove.COLAB: {"of": {number: diagnosis.made_of(number) for number in numbers}}}}
    assert prove.older(record, numbers) == []
    record["stacks"][prove.COLAB]["of"]["05"] = {**diagnosis.made_of("05"), "the set-up cell": "another"}
    del record["stacks"][prove.COLAB]["of"]["06"]
    assert prove.older(record, numbers) == ["lesson 05: since then has changed: the set-up cell", "lesson 06: this lesson was not proved then", 'with Python 3.13, run: make colab-proof LESSONS="05 06"']
    assert prove.older({}, numbers)[-1] == "with Python 3.13, run: make colab-proof"


def test_record_calls_no_lesson_proved_that_has_changed_since():
    """Whoever changes a lesson need not prove it again at once, which takes Colab's Python; but the first cell must not call it proved, and says what changed."""
    record = diagnosis.proved()
    stack, lessons = record["stacks"][prove.COLAB], {source.name[:2]: source for source in build.sources()}
    assert set(stack["of"]) <= set(record["lessons"]), "what was proved has its seconds"
    for number, source in lessons.items():
        line, before = diagnosis.compared(record["stacks"], stack["versions"], number), stack["of"].get(number, {})
        assert line.startswith("proved on ")
        if diagnosis.made_of(number)["its code or helpers"] != build.fingerprint(source)[:16]:
            continue  # its notebooks are not fresh, which another test says
        assert ("its code or helpers" in line or "was not proved" in line) == (before.get("its code or helpers") != build.fingerprint(source)[:16]), f"{number}: {line}"
    old = prove.older(record, list(lessons))
    if old:
        warnings.warn("older than its lessons is course_lib/proved.json:\n" + "\n".join(old), stacklevel=1)


@pytest.fixture
def main(course, tmp_path, monkeypatch):
    """The program, on the example, as if the versions here were Colab's; a function from arguments to the record."""
    record = tmp_path / "record.json"
    monkeypatch.setattr(prove, "ROOT", course.folder)
    monkeypatch.setattr(like_colab, "not_as_asked", lambda asked: [])

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["prove.py", "--record", str(record), "--jobs", "1", *arguments])
        prove.main()
        return json.loads(record.read_text(encoding="utf-8"))

    run.record = record
    return run


def test_program_writes_the_record(course, main, capsys):
    course()
    shutil.rmtree(course.scratch)
    written = main()
    assert list(written["lessons"]) == ["77"] and written["lessons"]["77"]["processor"] >= 1
    (stack,) = written["stacks"].values()
    assert re.fullmatch(r"notebooks/prove.py ran the 2 notebooks of commit \w{7}, with these recordings: digits: Free Spoken Digit Dataset", stack["how"])
    of = stack["of"]["77"]
    assert of["its code or helpers"] == build.fingerprint(course.folder / "notebooks/src/77_example.py")[:16] and stack["notebooks"] == 2 and stack["recordings"] == "real: digits"
    assert (of["the set-up cell"], of["the versions asked for"]) == tuple(diagnosis.made_of("05")[name] for name in ["the set-up cell", "the versions asked for"]), "those of this course"
    printed = capsys.readouterr().out
    assert re.search(r"^77_example .+ proved\nsolutions/77_example .+ proved$", printed, re.MULTILINE) and printed.endswith("now the tables: make timetable\n")


def test_program_says_which_lessons_have_changed_and_runs_nothing(course, main, monkeypatch, capsys):
    course()
    shutil.rmtree(course.scratch)
    monkeypatch.setattr(diagnosis, "ROOT", course.folder)
    monkeypatch.setattr(prove, "prove_all", None)
    main.record.write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit, match="lesson 77: whether this lesson has changed since is not known\nwith Python 3.13, run: make colab-proof$"):
        main("--check")
    main.record.write_text(json.dumps({"stacks": {prove.COLAB: {"of": {"77": diagnosis.made_of("77")}}}}), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main("--check", "77")
    assert not ended.value.code and capsys.readouterr().out == "as proved: 77\n"


def test_program_names_what_failed_and_leaves_the_record(course, main):
    course(with_cell("1 / 0"))
    main.record.write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit, match="2 of 2 notebooks failed, and record.json stays as it was: 77_example, solutions/77_example"):
        main("77")
    assert main.record.read_text(encoding="utf-8") == "{}"


def test_program_refuses_other_versions_and_other_lessons(course, main, monkeypatch):
    course()
    with pytest.raises(SystemExit, match="expected lessons such as 77_example, found 99"):
        main("99")
    monkeypatch.setattr(like_colab, "not_as_asked", lambda asked: ["numpy 1.0 (2.1.3)"])
    with pytest.raises(SystemExit, match=r"expected the versions of requirements-colab.txt, found numpy 1.0 \(2.1.3\); run: make colab-proof"):
        main()


# What Colab publishes

FREEZE = """# Do not modify
numpy==2.1.3
Keras==3.14.0
torch @ https://download.example.org/whl/cu118/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl#sha256=a8
scikit_learn==1.6.1
google-colab @ file:///colabtools/dist/google-colab-1.0.0.tar.gz
odd @ file:///somewhere
"""


def test_versions_are_read_from_both_kinds_of_lists():
    assert published.versions(FREEZE) == {"numpy": "2.1.3", "keras": "3.14.0", "torch": "2.1.0", "scikit-learn": "1.6.1", "google-colab": "1.0.0", "odd": None}
    assert published.versions("# on its own\npytest>=8\nplain  # why\nx[y]==1 ; z\n\n-r other.txt") == {"pytest": None, "plain": None, "x": "1"}


def test_differences_are_other_versions_and_what_is_missing():
    ours = published.versions("numpy==2.1.3\nkeras==3.13.2\nscikit-learn\ngone==1\nalso-gone\nodd==1")
    assert published.differences(ours, published.versions(FREEZE)) == [("also-gone", "any", "none"), ("gone", "1", "none"), ("keras", "3.13.2", "3.14.0"), ("odd", "1", "unknown")]


@pytest.mark.parametrize("hosted", [False, True])
def test_comparison_is_a_table_and_a_warning_and_no_failure(tmp_path, monkeypatch, capsys, hosted):
    monkeypatch.setenv("GITHUB_ACTIONS", "true") if hosted else monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    (tmp_path / "list.txt").write_text("\n".join([FREEZE, *(f"filler{number}==1" for number in range(9))]), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["published.py", str(tmp_path / "list.txt")])
    published.main()
    printed = capsys.readouterr().out
    assert "| keras | 3.13.2 | 3.14.0 |" in printed and "| numpy |" not in printed and "| keras |" in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert ("::warning title=Colab's versions::" in printed) == hosted and "keras" in printed.splitlines()[-1]


@pytest.mark.parametrize("answer", [None, b"<html>not here</html>"])
def test_list_that_is_not_to_be_had_is_said_to_be_so(answer, server, monkeypatch, capsys):
    monkeypatch.setattr(published, "PUBLISHED", server(answer) if answer else "http://127.0.0.1:9/closed")
    monkeypatch.setattr(sys, "argv", ["published.py"])
    published.main()
    assert "nothing was compared" in capsys.readouterr().out


def test_list_of_ours_is_read_whole():
    ours = published.versions(published.OURS.read_text(encoding="utf-8"))
    assert set(diagnosis.COMPARED) <= set(ours) and ours["tensorflow"] and ours["nbclient"] is None


# The workflow and the address


def test_workflow_proves_weekly_and_keeps_the_record():
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    when = workflow[True]  # YAML 1.1 reads the key "on" as true
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", when["schedule"][0]["cron"]) and "workflow_dispatch" in when
    assert workflow["permissions"] == {"contents": "read"}, "it commits nothing"
    proof, versions = workflow["jobs"]["proof"]["steps"], workflow["jobs"]["versions"]["steps"]
    for steps in (proof, versions):
        assert {"python-version": "3.13"} in [step.get("with") for step in steps]
    assert "make colab-proof" in [step.get("run") for step in proof]
    assert proof[-1]["uses"].startswith("actions/upload-artifact@") and (ROOT / proof[-1]["with"]["path"]) == diagnosis.PROVED
    (program,) = [step["run"].split()[1] for step in versions if "run" in step]
    assert ROOT / program == Path(published.__file__)


EXAMPLES = {"notebooks/build.py", "notebooks/like_colab.py"}  # name OWNER/NAME in their own words


def test_every_place_that_names_the_address_follows_it(tmp_path, monkeypatch):
    """Whatever text of the repository names owner and name is rewritten by `make colab-links`."""
    repository, _ = build.address()
    named = [name for name in bundle.course_files(ROOT) if not name.startswith("tests/") and name not in EXAMPLES and repository.encode() in (ROOT / name).read_bytes()]
    assert {"README.md", "notebooks/src/setup_course.py", "notebooks/00_start_here.ipynb"} <= set(named)
    for name in named:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name, value in {"NOTEBOOKS": tmp_path / "notebooks", "ROOT": tmp_path, "SETUP": tmp_path / "notebooks/src/setup_course.py"}.items():
        monkeypatch.setattr(build, name, value)
    build.readdress("teacher/fork", "autumn")
    assert [name for name in named if repository in (tmp_path / name).read_text(encoding="utf-8")] == []
    assert build.address() == ("teacher/fork", "autumn")
