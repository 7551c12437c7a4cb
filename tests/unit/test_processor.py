"""The kind of processor is read from what Linux says, and is unknown where nobody does."""

from __future__ import annotations

import pytest

from twosup_chain import _processor
from twosup_chain._processor import processor


@pytest.mark.parametrize(
    ("machine", "text", "kind"),
    [
        ("x86_64", "processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni", "vnni"),
        ("x86_64", "flags\t\t: fpu avx2 avx_vnni", "vnni"),
        ("x86_64", "flags\t\t: fpu sse4_2 avx2", "avx2"),
        ("x86_64", "flags\t\t: fpu sse4_2", "other"),
        ("x86_64", "nothing of the kind", "unknown"),
        ("x86_64", None, "unknown"),
        ("aarch64", None, "other"),
        ("", None, "unknown"),
    ],
)
def test_the_kind_of_processor(tmp_path, monkeypatch, machine, text, kind):
    monkeypatch.setattr(_processor.platform, "machine", lambda: machine)
    monkeypatch.setattr(_processor.sys, "platform", "linux")
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    assert processor(path) == kind


def test_elsewhere_than_on_linux_it_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(_processor.platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(_processor.sys, "platform", "win32")
    assert processor(tmp_path / "cpuinfo") == "unknown"
