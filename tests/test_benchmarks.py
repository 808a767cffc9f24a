"""The benchmarks: a wrong name starts no measurement, and each runs in a process of its own."""

from types import SimpleNamespace

import pytest

from benchmarks import environment, measure, run, voices


@pytest.mark.parametrize(
    "main, wanted, said",
    [
        (run.main, ["speed", "sped"], "streaming, found sped$"),
        (environment.main, ["1", "6"], "expected folds among 1, 2, 3, 4, 5, found 6$"),
        (voices.main, ["george", "gorge"], "ladder-4-yweweler, found gorge$"),
    ],
)
def test_unknown_name_is_refused_before_anything_is_measured(monkeypatch, main, wanted, said):
    monkeypatch.delattr(run.subprocess, "run")
    monkeypatch.delattr(voices, "with_frames")
    monkeypatch.delattr(environment, "from_lesson")
    with pytest.raises(SystemExit, match=said):
        main(wanted)


def test_known_names_run_in_their_order_and_are_kept(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "HERE", tmp_path)
    answer = SimpleNamespace(stdout="figures")
    monkeypatch.setattr(run.subprocess, "run", lambda command, **_: asked.append(command) or answer)
    run.main(["streaming", "voices"])
    assert [command[-1] for command in asked] == ["benchmarks.streaming", "benchmarks.voices"]
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"streaming.md", "voices.md"}


def test_recipe_of_lesson_14_and_versions_are_found():
    assert callable(environment.from_lesson(*environment.RECIPE)["trained_crnn"])
    assert set(measure.made()) == {"date", *measure.NAMED}
