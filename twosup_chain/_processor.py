"""The kind of this machine's processor, as int8 arithmetic tells it."""

import platform
import sys
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def processor(cpuinfo: Path = _CPUINFO) -> str:
    """Returns ``"vnni"``, ``"avx2"`` (without VNNI: sums of int8 products saturate), ``"other"`` or ``"unknown"``.

    Args:
        cpuinfo: Where Linux describes its processors; elsewhere, only those that are not Intel's kind are known.
    """
    if platform.machine().lower() not in ("x86_64", "amd64", "i686"):
        return "other" if platform.machine() else "unknown"
    if sys.platform != "linux" or not cpuinfo.is_file():
        return "unknown"
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), None)
    if flags is None:
        return "unknown"
    if any(flag.endswith("_vnni") for flag in flags):
        return "vnni"
    return "avx2" if "avx2" in flags else "other"
