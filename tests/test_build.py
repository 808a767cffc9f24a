"""What notebooks/build.py does beside running a lesson: it keeps outputs where only words have changed, and leaves out what is for slides."""

import nbformat
import pytest

from notebooks import build

LESSON = '''# %% [markdown] tags=["slide"]
# # Example, with a [mask](../GLOSSARY.md#mask) and an [unknown word](../GLOSSARY.md#nowhere)
# %% [markdown] tags=["only-slides", "slide"]
# for the slides alone
# %% [markdown] tags=["notes"]
# for the speaker alone
# %% tags=["setup"]
import setup_course
# %%
import random
# %% tags=["more", "no-code"]
print(random.SystemRandom().random())
# %% tags=["solution"]
answer = 42
# %% tags=["check"]
assert answer == 42, "what is six times seven, which is known?"
'''
GLOSSARY = '# Glossary\n\n### Mask\n\nA list of **true** and "false", one for each `frame`. More of it.\n\n### Log-mel frames\n\nOther words.\n'


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A lesson in a folder of its own, whose output is another in each run."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "setup_course.py").write_text('LESSON, REPOSITORY, BRANCH = "NN", "OWNER/NAME", "main"\nprint("this machine")\n')
    (tmp_path / "GLOSSARY.md").write_text(GLOSSARY)
    for name, value in {"NOTEBOOKS": tmp_path, "ROOT": tmp_path, "SOURCES": tmp_path / "src", "SETUP": tmp_path / "src" / "setup_course.py", "GLOSSARY": tmp_path / "GLOSSARY.md"}.items():
        monkeypatch.setattr(build, name, value)
    source = tmp_path / "src" / "77_example.py"
    source.write_text(LESSON)
    return source


def printed(source):
    return [output.text for cell in nbformat.read(build.solutions_path(source), as_version=4).cells for output in cell.get("outputs", []) if output.output_type == "stream"]


def test_words_are_renewed_and_nothing_runs(example):
    build.build(example)
    first = printed(example)
    example.write_text(LESSON.replace("# # Example", "# # Another title"))
    assert any("older than" in line for line in build.stale_parts(example))
    build.build(example)
    assert build.stale_parts(example) == [] and printed(example) == first
    assert "Another title" in build.learner_path(example).read_text()


@pytest.mark.parametrize("change", [("random()", "random() + 1"), ("answer = 42", "answer = 40 + 2")])
def test_a_change_of_code_runs_it(example, change):
    build.build(example)
    first = printed(example)
    example.write_text(LESSON.replace(*change))
    assert build.kept_outputs(example) is None
    build.build(example)
    assert printed(example) != first


def test_anew_runs_it_although_nothing_changed(example):
    build.build(example)
    first = printed(example)
    build.build(example, anew=True)
    assert printed(example) != first


def test_set_up_cell_knows_its_lesson_and_keeps_no_output(example):
    build.build(example)
    [cell] = [cell for cell in nbformat.read(build.learner_path(example), as_version=4).cells if "setup" in cell.metadata.get("tags", [])]
    assert 'LESSON, REPOSITORY, BRANCH = "77", "OWNER/NAME", "main"' in cell.source
    assert cell.outputs == [], "it speaks of the machine of whoever built it"


def test_what_is_for_slides_is_left_out(example):
    text, tags = "", set()
    for cell in build.compose(example).cells:
        text, tags = text + cell.source, tags | set(cell.metadata.get("tags", []))
    assert "for the slides alone" not in text and "for the speaker alone" not in text
    assert tags == {"setup", "solution", "check"}


def test_a_change_of_tags_for_slides_makes_the_notebook_neither_stale_nor_other(example):
    build.build(example)
    before = build.solutions_path(example).read_bytes()
    example.write_text(LESSON.replace('tags=["more", "no-code"]', 'tags=["slide"]'))
    assert build.stale_parts(example) == []
    build.build(example)
    assert build.solutions_path(example).read_bytes() == before


def test_link_to_the_glossary_shows_the_meaning(example):
    assert build.glossary()["mask"] == "A list of true and 'false', one for each frame."
    assert "log-mel-frames" in build.glossary()
    title = build.compose(example).cells[1].source
    assert "[mask](../GLOSSARY.md#mask \"A list of true and 'false', one for each frame.\")" in title
    assert "[unknown word](../GLOSSARY.md#nowhere)" in title


def test_a_code_cell_is_not_left_out(example):
    example.write_text(LESSON.replace('tags=["more", "no-code"]', 'tags=["only-slides"]'))
    with pytest.raises(ValueError, match="on cells of text alone"):
        build.compose(example)


def test_a_lesson_that_is_not_there_is_refused(example, monkeypatch):
    monkeypatch.setattr("sys.argv", ["build.py", "77", "99"])
    with pytest.raises(SystemExit, match="found 99"):
        build.main()
