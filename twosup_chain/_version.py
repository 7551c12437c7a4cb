"""The version, in one place: the package's metadata are built from it."""

__version__ = "0.2.0"
