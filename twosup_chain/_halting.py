"""`Halting`: an interrupted batch ends, also where the errors of single inputs are returned."""

from typing import TYPE_CHECKING, Any


class Halting:
    """Goes before LangChain's own bases, whose batches return what halts the process in the place of each result."""

    if not TYPE_CHECKING:  # the types are LangChain's

        def _batch_with_config(self, *args: Any, **options: Any) -> Any:
            return _unhalted(super()._batch_with_config(*args, **options))

        async def _abatch_with_config(self, *args: Any, **options: Any) -> Any:
            return _unhalted(await super()._abatch_with_config(*args, **options))


def _unhalted(results: list[Any]) -> list[Any]:
    """Returns the results of a batch; raises Ctrl-C, and the cancelling of a task."""
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
    return results
