"""The command line as a process of its own: real reader, real files and pipes, a server that fails, bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from rich.cells import cell_len

pytestmark = pytest.mark.integration

HARBOUR = (
    "The harbour dries out almost completely at low water. The gate of the sill is opened by the harbour master, "
    "Ailsa Crane, when the sea outside rises level with the basin. "
)
FILLER = "Visitors find a small museum behind the church, which is open in summer. "
KEY = "sk-integration-secret-0123456789"
COMMAND = (sys.executable, "-c", "from twosup_chain.cli import main; main()")
ALWAYS = ("--local-scorer", "answerability", "--local-threshold", "0")
NEVER = ("--local-scorer", "answerability", "--local-threshold", "1")
IN_CONTEXT = ("--remote-scorer", "in_context", "--remote-threshold", "0.5")


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if name not in ("OPENAI_API_KEY", "FORCE_COLOR")}
    return {**kept, "COLUMNS": "80", **variables}


@pytest.fixture
def twosup(tmp_path):
    """Returns a function that runs ``twosup`` as a process and checks what holds for every run."""

    def run(*args, stdin="", **variables):
        stdin = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(
            [*COMMAND, *args], input=stdin, capture_output=True, cwd=tmp_path, env=environment(**variables), check=False
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert KEY not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def harbour(tmp_path):
    (tmp_path / "harbour.txt").write_text(HARBOUR)
    return "harbour.txt"


def squeezed(text):
    return " ".join(text.split())


def test_the_reader_answers_and_its_answer_is_marked_in_the_passage(twosup, harbour):
    done = twosup("ask", "Who opens the gate of the sill?", "-c", harbour, *ALWAYS)
    assert done.returncode == 0, done.stderr
    assert "Answer · from the local model" in done.stdout
    assert "Ailsa Crane<<" in squeezed(done.stdout)


def test_thresholds_that_nobody_chose_come_with_the_package_and_are_named(twosup, harbour):
    done = twosup("ask", "Who opens the gate of the sill?", "-c", harbour)
    assert done.returncode == 0, done.stderr
    assert "Note Local threshold" in squeezed(done.stdout)
    assert "fitted on" in squeezed(done.stdout)


def test_a_piped_passage_and_json(twosup):
    done = twosup("ask", "Who opens the gate of the sill?", "-c", "-", *ALWAYS, "--json", stdin=HARBOUR)
    document = json.loads(done.stdout)
    assert HARBOUR[document["local"]["start"] : document["local"]["end"]] == document["answer"]
    assert document["answer"].endswith("Ailsa Crane")


def test_two_megabytes_of_context_are_read_and_only_the_neighbourhood_is_shown(twosup, tmp_path):
    half = (FILLER + "\n" * 5_000) * 200  # few words, so that the reader is quick
    assert len(half) > 1_000_000
    (tmp_path / "long.txt").write_text(half + HARBOUR + half)
    done = twosup("ask", "Who opens the gate of the sill?", "-c", "long.txt", *ALWAYS)
    assert done.returncode == 0, done.stderr
    assert "Ailsa Crane<<" in squeezed(done.stdout)
    assert len(done.stdout) < 3000


def test_right_to_left_text_is_answered_within_the_width(twosup, tmp_path):
    text = "השער של הנמל נפתח בידי אילסה קריין, מנהלת הנמל, כאשר הים עולה."
    (tmp_path / "rtl.txt").write_text(text, encoding="utf-8")
    question = ("ask", "מי פותח את השער?", "-c", "rtl.txt", *ALWAYS)
    document = json.loads(twosup(*question, "--json").stdout)
    if document["answer"] is not None:
        assert text[document["local"]["start"] : document["local"]["end"]] == document["answer"]
    shown = twosup(*question)
    assert shown.returncode == 0
    assert "מי פותח את השער?" in shown.stdout
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80


def test_invalid_utf8_is_read_with_a_remark(twosup, tmp_path):
    (tmp_path / "latin1.txt").write_bytes(HARBOUR.replace("Crane", "Cran\xe9").encode("latin-1"))
    done = twosup("ask", "Who opens the gate of the sill?", "-c", "latin1.txt", *ALWAYS)
    assert done.returncode == 0
    assert "latin1.txt is not valid UTF-8" in done.stderr
    assert "\N{REPLACEMENT CHARACTER}" in done.stdout


def test_an_ascii_terminal_and_bytes_that_no_encoding_knows_are_no_crash(twosup, harbour):
    done = twosup("ask", b"Who opens \xff the \xe6\x9d\xb1 gate?", "-c", harbour, *ALWAYS, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "|" in done.stdout


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("ask", "", "-c", "harbour.txt"), "is blank: ask something"),
        (("ask", "Who?"), "Missing option '--context'"),
        (("ask", "Who?", "-c", "nowhere.txt"), "nowhere.txt: there is no such file"),
        (("ask", "Who?", "-c", sys.executable), "is not plain text"),
        (("ask", "Who?", "-c", "-"), "standard input is empty"),
        (("ask", "Who?", "-c", "harbour.txt", "--local-threshold", "nan"), "--local-threshold nan"),
        (("ask", "Who?", "-c", "harbour.txt", "--local-threshold", "1.7"), "--local-threshold 1.7"),
        (("ask", "Who?", "-c", "harbour.txt", "--local-scorer", "answerabilty"), "Did you mean 'answerability'?"),
        (("ask", "Who?", "-c", "harbour.txt", "--local", "gpt", *ALWAYS), "is no local model"),
        (("ask", "Who?", "-c", "harbour.txt", "--local", "llama:nowhere.gguf", *ALWAYS), "nowhere.gguf"),
        (("ask", "Who?", "-c", "harbour.txt", "--local", "llama:harbour.txt", *ALWAYS), "no GGUF file"),
        (("ask", "Who?", "-c", "harbour.txt", "--remote", "openai:m", *NEVER, *IN_CONTEXT), "set OPENAI_API_KEY"),
        (("frobnicate",), "No such command"),
        (("demo", "--show", "many"), "Invalid value for '--show'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(twosup, harbour, args, complaint):
    done = twosup(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr


def test_ctrl_c_ends_with_one_line_and_exit_code_130(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    # a shell starts its background jobs with SIGINT ignored, and tests may run in one
    wrapper = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", wrapper, *COMMAND, "ask", "Who?", "-c", "fifo", *ALWAYS]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(), text=True) as process,
        (tmp_path / "fifo").open("w"),  # opens when the process has begun to read
    ):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "error: interrupted\n")


def test_a_reader_of_the_output_that_leaves_early_is_no_crash(harbour, tmp_path):
    command = [*COMMAND, "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert "Traceback" not in errors


class TestRemote:
    """A hosted model behind a server on loopback."""

    @pytest.fixture(autouse=True)
    def _needs_openai(self):
        pytest.importorskip("langchain_openai")

    @staticmethod
    def ask(twosup, server, name, *options):
        url = server.url(name)
        question = ("ask", "Who opened it?", "-c", "-", *NEVER, "--remote", "played", "--remote-url", url)
        passage = "The bridge was opened by Ellen Marsh in 1874."
        return twosup(*question, *options, stdin=passage, OPENAI_API_KEY=KEY)

    def test_an_untrusted_local_answer_makes_way_for_the_remote_one(self, twosup, fault_server):
        done = self.ask(twosup, fault_server, "good", *IN_CONTEXT)
        assert done.returncode == 0, done.stderr
        assert "Answer · from the remote model" in done.stdout
        assert "opened by >>Ellen Marsh<< in 1874." in squeezed(done.stdout)
        assert "42 tokens" in done.stdout

    def test_token_probabilities_are_asked_for_and_judged(self, twosup, fault_server):
        options = ("--remote-scorer", "min_token_probability", "--remote-threshold", "0.5", "--json")
        document = json.loads(self.ask(twosup, fault_server, "good", *options).stdout)
        assert document["source"] == "remote"
        assert document["remote_verdict"]["score"] == pytest.approx(2.718281828**-0.2)

    def test_an_answer_without_token_probabilities_is_not_trusted_and_the_reason_says_so(self, twosup, fault_server):
        options = ("--remote-scorer", "min_token_probability", "--remote-threshold", "0.5", "--json")
        done = self.ask(twosup, fault_server, "missing_logprobs", *options)
        document = json.loads(done.stdout)
        assert (done.returncode, document["status"], document["answer"]) == (0, "untrusted", None)
        assert "log-probabilities" in document["reason"]

    @pytest.mark.parametrize("name", ["refused_connection", "unauthorized", "empty_content", "refusal", "not_json"])
    def test_every_failure_of_the_remote_is_one_line_and_exit_code_1(self, twosup, fault_server, name):
        done = self.ask(twosup, fault_server, name, *IN_CONTEXT)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: the remote model failed: ")
        assert done.stderr.count("\n") == 1

    def test_a_failure_of_the_remote_may_end_without_an_answer(self, twosup, fault_server):
        options = (*IN_CONTEXT, "--on-remote-error", "no_answer", "--json")
        done = self.ask(twosup, fault_server, "unauthorized", *options)
        document = json.loads(done.stdout)
        assert (done.returncode, document["status"], document["source"]) == (0, "untrusted", "none")
        assert "AuthenticationError" in document["error"]


def test_a_gguf_model_may_be_the_local_one(twosup, harbour, smollm2_path):
    pytest.importorskip("llama_cpp")
    options = ("--local", f"llama:{smollm2_path}", "--local-threshold", "0", "--json")
    done = twosup("ask", "Who opens the gate of the sill?", "-c", harbour, *options)
    document = json.loads(done.stdout)
    assert (done.returncode, document["source"]) == (0, "local")
    assert document["local"]["token_logprobs"]
    assert done.stderr == ""


def test_the_demo_needs_no_key_and_every_outcome_occurs(twosup):
    done = twosup("demo", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    sources = {question["source"] for question in document["questions"]}
    assert sources == {"local", "remote", "none"}
    assert all(question["local_verdict"]["score"] >= 0 for question in document["questions"])
    summary = document["summary"]
    for measure in ("exact_match", "f1"):
        alone = max(summary["local_only"][measure], summary["remote_only"][measure])
        assert summary["chain"][measure] >= alone


def test_the_demo_says_that_the_remote_is_a_recording(twosup):
    done = twosup("demo", "--show", "4")
    assert done.returncode == 0, done.stderr
    assert "The remote model is a recording of" in squeezed(done.stdout)
    assert done.stdout.count(">>") >= 1
    assert max(map(cell_len, done.stdout.splitlines())) <= 80


def test_models_as_json_names_the_packaged_reader(twosup):
    document = json.loads(twosup("models", "--json").stdout)
    assert document["reader"]["intact"] is True
    assert {"package", "purpose", "install", "version"} <= document["engines"][0].keys()
