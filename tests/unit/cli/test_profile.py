"""A profile: what no option says comes from a route of ``twosup.toml``; options come first; and ``--calibration``."""

from __future__ import annotations

import json

import pytest

from twosup_chain import calibrate, parts
from twosup_chain.service.log import DecisionLog
from twosup_chain.testing import ScriptedAnswerer

ROUTE = 'local_scorer = "span_probability"\nlocal_threshold = 0.7\n'
HOSTED = (
    'remote = "openai:m"\nremote_scorer = "in_context"\nremote_threshold = 0.5\nremote_url = "http://127.0.0.1:1/v1"\n'
)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Returns a function that writes a profile into the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="twosup.toml"):
        (tmp_path / name).write_text(text)
        return name

    return write


@pytest.fixture
def remote(monkeypatch, local):
    """Puts a script in the remote model's place; the list holds what it was built from."""
    built = []

    def make(*args, **more):
        built.append((*args[:2], more.get("key")))
        return ScriptedAnswerer(script={"When?": "1843"})

    monkeypatch.setattr(parts, "remote_answerer", make)
    return built


@pytest.fixture
def calibration(notes, tmp_path, local):
    """A calibration's file, its scorers, and its thresholds."""
    found = calibrate(notes.records, remote_rate=0.5, local_scorer="answerability", remote_scorer="in_context")
    path = tmp_path / "calibration.json"
    found = found.model_copy(
        update={role: getattr(found, role).model_copy(update={"model": None}) for role in ("local", "remote")}
    )
    found.save(path)
    return str(path), found


def asked(twosup, context, *options):
    result = twosup("ask", "When?", "-c", context, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout), result.stderr


def test_the_working_folders_profile_says_what_no_option_says_and_is_named(twosup, remote, context, profile):
    profile(f"[routes.docs]\n{ROUTE}{HOSTED}")
    document, said = asked(twosup, context)
    assert (document["local_verdict"]["scorer"], document["local_verdict"]["threshold"]) == ("span_probability", 0.7)
    assert (document["source"], remote) == ("remote", [("openai:m", "http://127.0.0.1:1/v1", parts.KEY)])
    assert "models and thresholds are those of twosup.toml (routes.docs), where no option says others" in said


def test_options_come_before_the_profile_and_another_hosted_model_has_another_address(twosup, remote, context, profile):
    profile(f"[routes.docs]\n{ROUTE}{HOSTED}")
    document, _ = asked(twosup, context, "--local-threshold", "0.05", "--remote", "openai:other")
    assert (document["source"], document["local_verdict"]["threshold"]) == ("local", 0.05)
    assert remote == [("openai:other", None, parts.KEY)]


def test_a_route_is_chosen_by_name_in_any_file(twosup, local, context, profile):
    name = profile(f"[routes.a]\n{ROUTE}[routes.b]\n{ROUTE.replace('0.7', '0.05')}", "other.toml")
    assert asked(twosup, context, "--config", name, "--route", "b")[0]["source"] == "local"
    assert asked(twosup, context, "--config", name)[0]["source"] == "none"
    assert (
        "--route 'c' is none of other.toml's: a, b"
        in twosup("ask", "Who?", "-c", context, "--config", name, "--route", "c").stderr
    )
    assert "there is no twosup.toml here" in twosup("ask", "Who?", "-c", context, "--route", "a").stderr


def test_decisions_are_logged_where_the_profile_says_so(twosup, local, context, profile, tmp_path):
    profile(f'[routes.docs]\n{ROUTE}[log]\nwhere = "log.db"\n')
    asked(twosup, context)
    (decision,) = DecisionLog(tmp_path / "log.db").decisions()
    assert (decision.route, decision.source) == ("docs", "none")


def test_what_must_stay_here_stays_here_on_the_command_line_too(twosup, remote, context, profile):
    profile(f'[routes.docs]\n{ROUTE}{HOSTED}never_escalate = [{{pattern = "When"}}]\n')
    assert asked(twosup, context)[0]["source"] == "none"


def test_a_calibration_sets_both_supervisors(twosup, remote, context, calibration):
    path, found = calibration
    document, said = asked(twosup, context, "--calibration", path, "--remote", "openai:m")
    assert document["local_verdict"]["threshold"] == found.local.threshold
    assert document["local_verdict"]["scorer"] == "answerability"
    assert said == ""


def test_a_calibration_on_the_command_line_comes_before_the_profiles_thresholds(
    twosup, local, context, profile, calibration
):
    profile(f"[routes.docs]\n{ROUTE}")
    document, _ = asked(twosup, context, "--calibration", calibration[0])
    assert document["local_verdict"]["scorer"] == "answerability"


def test_a_calibration_and_a_threshold_of_the_users_are_one_too_many(twosup, local, context, calibration):
    result = twosup("ask", "Who?", "-c", context, "--calibration", calibration[0], "--local-threshold", "0.5")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--calibration sets both thresholds: leave --local-threshold out" in result.stderr


def test_a_learned_scorer_is_given_by_its_file_and_no_threshold_is_copied(
    twosup, remote, context, notes, as_new, tmp_path
):
    scorer = tmp_path / "remote.json"
    notes.scorers["remote"].save(scorer)
    fitted = {"remote_scorer": notes.scorers["remote"], "local_scorer": "answerability"}
    found = calibrate(as_new(notes.records), remote_rate=0.5, **fitted)
    update = {
        role: getattr(found, role).model_copy(update={"model": None, "threshold": 0.9}) for role in ("local", "remote")
    }
    (path := tmp_path / "c.json").write_text(found.model_copy(update=update).model_dump_json())
    options = ("--calibration", str(path), "--remote", "openai:m")
    refused = twosup("ask", "When?", "-c", context, *options)
    assert refused.exit_code == 2
    assert "pass its file, or your own scorer, as --local-scorer or --remote-scorer" in refused.stderr
    document, _ = asked(twosup, context, *options, "--remote-scorer", str(scorer))
    assert document["remote_verdict"]["scorer"] == found.remote.scorer


def test_collect_follows_the_profile(twosup, remote, profile, tmp_path):
    profile(f'[routes.docs]\n{ROUTE}{HOSTED}records = "kept.jsonl"\nremote_key = "MY_KEY"\n')
    (tmp_path / "q.jsonl").write_text('{"question": "When?", "context": "In 1843.", "answers": ["1843"]}\n')
    assert twosup("collect", "q.jsonl").exit_code == 0
    assert (tmp_path / "kept.jsonl").is_file()
    assert remote == [("openai:m", "http://127.0.0.1:1/v1", "MY_KEY")]


def test_collect_without_a_place_for_records_names_the_option(twosup, local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--out is missing" in twosup("collect", "q.jsonl", "--remote", "openai:m").stderr
