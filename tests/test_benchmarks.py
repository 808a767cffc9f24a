"""The benchmarks' programs: what they refuse before anything is measured, and what they say of pieces that were kept."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from benchmarks import environment, measure, run, voices

OF_TODAY = {"date": "2026-11-23", "python": "3.12.1", "tensorflow": "2.17.1", "keras": "3.5.0"}


@pytest.fixture
def nothing_runs(monkeypatch):
    """Whoever starts a measurement fails the test."""

    def fail(*_, **__):
        raise AssertionError("a measurement was started")

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(voices, "with_frames", fail)
    monkeypatch.setattr(environment, "from_lesson", fail)


@pytest.mark.parametrize(
    "main, wanted, said",
    [
        (run.main, ["speed", "sped"], "expected benchmarks among speed, accuracy, voices, environment, streaming, found sped$"),
        (environment.main, ["1", "6"], "expected folds among 1, 2, 3, 4, 5, found 6$"),
        (voices.main, ["george", "gorge"], "such as recipe-george-0 or ladder-4-yweweler, found gorge$"),
    ],
)
def test_unknown_name_is_refused_before_anything_is_measured(nothing_runs, main, wanted, said):
    with pytest.raises(SystemExit, match=said):
        main(wanted)


def test_known_names_run_in_their_order_and_only_kept_pieces_make_a_report(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run.subprocess, "run", lambda command, **_: SimpleNamespace(stdout=f"figures of {command[-1]}"))
    run.main(["streaming", "voices"])
    streaming, kept = ((tmp_path / "results" / f"{name}.md").read_text(encoding="utf-8") for name in ["streaming", "voices"])
    assert streaming.endswith("figures of benchmarks.streaming") and "before the run" in streaming and "Report of" not in streaming
    assert kept.endswith("figures of benchmarks.voices") and "before the report" in kept and "\nReport of 2" in kept


def test_pieces_of_several_days_are_told_apart():
    said = measure.when_made([{"made": OF_TODAY}, {}, {"made": {**OF_TODAY, "keras": "3.6.0"}}, {"made": OF_TODAY}], "trainings")
    assert said.startswith("The 4 trainings are kept one by one")
    for part in ["2 of 2026-11-23, python 3.12.1, tensorflow 2.17.1, keras 3.5.0", "keras 3.6.0", "1 of a date and with versions that were not noted"]:
        assert part in said, part
    assert set(measure.made()) == set(OF_TODAY) and all(measure.made().values())


def test_what_a_piece_was_made_with_is_kept_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(voices, "PIECES", tmp_path)
    piece = {"right": 9, "clips": 10, "cpu": 1.0, "wall": 1.0}
    for name in voices.pieces():
        (tmp_path / f"{name}.json").write_text(json.dumps(piece | ({"made": OF_TODAY} if name != "official-all-0" else {})), encoding="utf-8")
    report = voices.report().splitlines()[0]
    assert "36 of 2026-11-23" in report and "1 of a date and with versions that were not noted" in report
    answers = {name: [1, 0] for name in [*environment.BASELINES, "crnn"]}
    seconds = {name: [1.0, 1.0] for name in answers}
    folds = [{"made": OF_TODAY, "fold": fold, "recordings": ["a", "b"], "epochs": 1, "correct": answers, "seconds": seconds, "members": [[1, 0]]} for fold in environment.FOLDS]
    assert "5 of 2026-11-23" in environment.report(folds).splitlines()[0]
