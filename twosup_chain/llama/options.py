"""`LlamaOptions`: how a GGUF model is loaded and writes, the same for answerer and chat."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ConfigDict, Field, model_validator

from twosup_chain._options import Options
from twosup_chain.llama.model import LlamaModel, need_llama_cpp

if TYPE_CHECKING:
    FilePath = str | Path
else:
    FilePath = Path  #: what a text becomes


class LlamaOptions(Options):
    """The options that answerer and chat share; they say what each means."""

    model_config = ConfigDict(protected_namespaces=())

    model_path: FilePath
    n_ctx: int = Field(default=2048, ge=64)
    n_batch: int = Field(default=512, ge=1)
    n_threads: int | None = Field(default=None, ge=1)
    n_gpu_layers: int = Field(default=0, ge=-1)
    max_tokens: int = Field(default=32, ge=1)
    temperature: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0)
    verbose: bool = False
    engine: LlamaModel | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="after")
    def _attach_engine(self) -> Self:
        """Makes the engine, unless the one that is held is of these very options."""
        need_llama_cpp(type(self).__name__)
        names = ("n_ctx", "n_batch", "n_threads", "n_gpu_layers", "verbose")
        made = LlamaModel(self.model_path, **{name: getattr(self, name) for name in names})
        if self.engine is None or (self.engine.path, self.engine.options) != (made.path, made.options):
            self.engine = made
        return self

    def close(self) -> None:
        """Frees the model; the next call loads it again."""
        self._model.close()

    @property
    def _model(self) -> LlamaModel:
        """The engine, which the validator has made."""
        assert self.engine is not None  # noqa: S101
        return self.engine
