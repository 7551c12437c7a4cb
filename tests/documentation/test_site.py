"""The documentation builds without a warning, and its reference has every public name."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib

import pytest
from documentation.snippets import ROOT

import twosup_chain

pytest.importorskip("mkdocs")
pytest.importorskip("material")
pytest.importorskip("mkdocstrings_handlers.python")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Returns the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_public_name_is_in_the_reference(site):
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    shown = {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
    names = {*twosup_chain.__all__, *" ".join(twosup_chain._MODULES.values()).split()} - {"__version__"}
    things = [getattr(twosup_chain, name) for name in names]
    from twosup_chain import calibration, collection

    things += [getattr(room, name) for room in (calibration, collection) for name in room.__all__]
    missing = {f"{thing.__module__}.{thing.__qualname__}" for thing in things} - shown
    assert not missing


def test_an_example_is_shown_as_code(site):
    page = (site / "reference" / "chain-and-supervisor" / "index.html").read_text(encoding="utf-8")
    assert 'class="highlight"' in page
    assert "&gt;&gt;&gt; " in page


def test_the_pages_fetch_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert 'src="https://' not in text
        assert 'rel="stylesheet" href="https://' not in text
