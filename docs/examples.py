"""An extension of griffe: a docstring's "Example:" is shown as code, as "Examples:" is."""

from typing import Any

from griffe import Extension, Object


class Examples(Extension):
    """Renames the section before it is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Is called for everything that has a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
