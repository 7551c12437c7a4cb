"""The training loop of the extractive reader: PyTorch, a BERT encoder with a start/end head, [CLS] as the null span.

It resumes exactly (seeds, data order, optimiser), evaluates on held-out passages of the training files, stops early,
and writes ``log.jsonl``, ``curves.png``, ``held_out.json`` and the folders ``last``, ``best`` and ``final``. On the
command line it is ``twosup train-reader``.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from itertools import count
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.training.average import Average
from twosup_chain.training.checkpoint import load_model, load_state, save_model
from twosup_chain.training.data import TrainingExample, write_squad
from twosup_chain.training.features import Batch, Window, collate, epoch_batches, make_windows, training_windows
from twosup_chain.training.held_out import Figures, Prediction, figures, predict
from twosup_chain.training.log import Progress, RunLog
from twosup_chain.training.loss import hard_loss, soft_loss
from twosup_chain.training.mixture import build_mixture, check_both_kinds, epoch_rng
from twosup_chain.training.options import MixtureOptions, TrainerOptions
from twosup_chain.training.pictures import draw_run
from twosup_chain.training.teacher import Network, SoftLabels, load_teacher

#: Steps between entries of the log.
LOG_EVERY = 20


class Trainer:
    """One training run; if its folder holds a checkpoint, the run goes on from there, with the same options.

    A resumed run equals an uninterrupted one, except under `TrainerOptions.minutes`, where the learning rate depends on
    the time that was spent.
    """

    def __init__(self, options: TrainerOptions, mixture: MixtureOptions) -> None:
        for package in ("torch", "transformers", "safetensors"):
            if find_spec(package) is None:
                raise MissingExtraError("Trainer", package, "train")
        import torch
        from tokenizers import Tokenizer

        self.options = options
        self._settings = _settings(options, mixture)
        self.torch = torch
        torch.manual_seed(options.seed)
        if options.threads:
            torch.set_num_threads(options.threads)
        self.device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.last = options.out / "last"
        self.progress = Progress()
        state = load_state(self.last)
        self.model = self._prepare(load_model(self.last if state else options.model))
        positions = self.model.config.max_position_embeddings
        if options.max_length > positions:
            raise ConfigurationError(
                f"max_length={options.max_length!r} is more than the model's {positions} positions"
            )
        self.optimizer = self._optimizer()
        self.average = Average(self.model, options.averaged) if options.averaged else None
        self.mixture = build_mixture(mixture, taught=options.teacher is not None)
        check_both_kinds(self.mixture)
        tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
        rng = epoch_rng(options.seed, 0, "windows")
        limits = {"max_length": options.max_length, "stride": options.stride}
        self.windows = training_windows(self.mixture.examples, tokenizer, **limits, rng=rng)
        self.held_out, longest = list(self.mixture.held_out), min(384, positions)
        limits = {"max_length": longest, "stride": longest // 4}
        self.held_out_windows = [w for some in make_windows(self.held_out, tokenizer, **limits) for w in some]
        self.steps_per_epoch = max(len(self._epoch(0)), 1)
        self.labels = (
            None if options.teacher is None else self._taught(load_teacher(options.teacher, options.model, self.device))
        )
        if state:
            self._resume(state)

    @property
    def steps(self) -> int:
        """How many steps the run has, unless its minutes end first."""
        steps = self.steps_per_epoch * self.options.epochs
        return min(steps, self.options.max_steps or steps)

    @property
    def share(self) -> float:
        """The share of the run that is done, in [0, 1]: of its steps, or of its minutes if that is more."""
        by_steps = self.progress.step / self.steps
        seconds = self.options.seconds or 60 * (self.options.minutes or 0.0)
        return min(1.0, max(by_steps, self.progress.seconds / seconds) if seconds else by_steps)

    def run(self, report: Callable[[dict[str, Any]], None] = lambda _: None) -> Figures:
        """Trains to the end and returns the figures of the final model on all held-out questions."""
        log = RunLog(self.options.out, self.progress, report)
        sizes = {"examples": len(self.windows), "held_out": len(self.held_out), "steps": self.steps}
        log.write("start", **sizes, kinds=self._kinds())
        write_squad(self.options.out / "held_out.json", self.held_out)
        if self.progress.step == 0:
            log.write("evaluation", **self.evaluate(self.options.evaluate_on).as_dict())
        began, before = time.monotonic(), self.progress.seconds
        losses: list[dict[str, float]] = []
        for windows in self._batches():
            losses.append(self._train(windows))
            self.progress.step += 1
            if self.average is not None:
                self.average.add(self.model, self.progress.step)
            self.progress.seconds = before + time.monotonic() - began
            if self.progress.step % LOG_EVERY == 0:
                means = {name: round(fmean(some[name] for some in losses), 4) for name in losses[0]}
                log.write("train", **means, rate=self._rate())
                losses.clear()
            evaluate = self.progress.step % self.options.evaluate_every == 0
            if evaluate:
                self._judge(log)
            if evaluate or self.progress.step % self.options.save_every == 0:
                self._save()
        return self._finish(log)

    def evaluate(self, limit: int | None = None) -> Figures:
        """Returns the figures on the held-out questions, or on `limit` of them, spread evenly."""
        return figures(*self.predict_held_out(limit))

    def predict_held_out(self, limit: int | None = None) -> tuple[list[TrainingExample], list[Prediction]]:
        """Returns held-out questions (all, or `limit`, spread evenly) and what the model predicts for each."""
        every = max(1, len(self.held_out) // limit) if limit else 1
        chosen = {index: place for place, index in enumerate(range(0, len(self.held_out), every))}
        windows = [replace(w, example=chosen[w.example]) for w in self.held_out_windows if w.example in chosen]
        examples = [self.held_out[index] for index in chosen]
        self.model.eval()
        with self._averaged(), self.torch.inference_mode():
            predictions = predict(examples, windows, self._numpy_logits)
        self.model.train()
        return examples, predictions

    def _prepare(self, model: Any) -> Any:
        model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = self.options.dropout
        for module in model.modules():
            if isinstance(module, self.torch.nn.Dropout):
                module.p = self.options.dropout
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = self.options.dropout
        if self.options.freeze_embeddings:
            model.bert.embeddings.word_embeddings.weight.requires_grad_(requires_grad=False)
        frozen, layers = self.options.freeze_layers, model.bert.encoder.layer
        if not 0 <= frozen <= len(layers):
            raise ConfigurationError(
                f"freeze_layers={frozen!r} must be between 0 and {len(layers)}, the model's layers"
            )
        for part in [model.bert.embeddings, *layers[:frozen]] if frozen else []:
            part.requires_grad_(requires_grad=False)
        return model.to(self.device).train()

    def _resume(self, state: dict[str, Any]) -> None:
        changed = [name for name, value in self._settings.items() if state["settings"].get(name) != value]
        if changed:
            raise ConfigurationError(
                f"the run in {self.options.out} was started with other options ({', '.join(changed)}): "
                "give the same ones to resume it, or another folder to start anew"
            )
        self.progress = Progress(**state["progress"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.weights = [part.to(self.device) for part in state["average"]]
        self.torch.set_rng_state(state["rng"])
        if self.device.type == "cuda":
            self.torch.cuda.set_rng_state(state["cuda_rng"], self.device)

    def _optimizer(self) -> Any:
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": self.options.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return self.torch.optim.AdamW(groups, lr=self.options.learning_rate, fused=True)

    def _epoch(self, number: int) -> list[list[Window]]:
        windows = [self.windows[index] for index in self.mixture.epoch(number)]
        rng, options = epoch_rng(self.options.seed, number, "order"), self.options
        return epoch_batches(windows, options.batch_size, rng, tokens=options.batch_tokens, multiple=options.multiple)

    def _taught(self, teacher: Network) -> SoftLabels:
        tokens = self.options.batch_tokens or self.options.batch_size * self.options.max_length
        with self.torch.inference_mode():
            return SoftLabels(teacher, self.windows, self._logits, tokens=tokens, multiple=self.options.multiple)

    def _batches(self) -> Iterator[list[Window]]:
        """Yields the batches from the present step on, until steps, minutes or patience are spent."""
        patience = self.options.patience
        for number in count(self.progress.step // self.steps_per_epoch):
            done = self.progress.step - number * self.steps_per_epoch
            for windows in self._epoch(number)[done:]:
                if self.share >= 1 or (patience is not None and self.progress.since_best >= patience):
                    return
                yield windows

    def _rate(self) -> float:
        share, warmup = self.share, self.options.warmup
        scale = share / warmup if share < warmup else (1 - share) / (1 - warmup)
        floor = self.options.learning_rate / 100 if share < warmup else 0.0
        return max(floor, self.options.learning_rate * scale)

    def _train(self, windows: list[Window]) -> dict[str, float]:
        options, batch = self.options, collate(windows, multiple=self.options.multiple)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        logits = self._logits(self.model, batch)
        loss, parts = hard_loss(logits, batch), {}
        if self.labels is not None:
            soft = soft_loss(logits, self.labels.of(windows, batch.ids.shape[1]), options.temperature)
            loss = options.teacher_weight * soft + options.label_weight * loss
            parts["to_teacher"] = float(soft.detach())
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"loss": float(loss.detach()), **parts}

    def _logits(self, network: Network, batch: Batch) -> tuple[Any, Any]:
        """Returns a network's start and end logits in float32, -inf where no span may start or end."""
        torch = self.torch
        ids, types, mask = (torch.from_numpy(part).to(self.device) for part in (batch.ids, batch.types, batch.mask))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.half_precision):
            out = network(input_ids=ids, token_type_ids=types, attention_mask=mask)
        barred = ~torch.from_numpy(batch.allowed).to(self.device)
        return tuple(logits.float().masked_fill(barred, -torch.inf) for logits in (out.start_logits, out.end_logits))

    def _averaged(self) -> AbstractContextManager[None]:
        """The model has its averaged weights meanwhile, if there are any."""
        return nullcontext() if self.average is None else self.average.inside(self.model)

    def _numpy_logits(self, batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        starts, ends = self._logits(self.model, batch)
        return starts.cpu().numpy(), ends.cpu().numpy()

    def _judge(self, log: RunLog) -> None:
        """Evaluates, and keeps the model if it is the best so far."""
        found = self.evaluate(self.options.evaluate_on)
        log.write("evaluation", **found.as_dict())
        progress = self.progress
        if found.balanced_f1 > progress.best:
            progress.best, progress.since_best = found.balanced_f1, 0
            with self._averaged():
                save_model(self.options.out / "best", self.model, self.options.model)
        else:
            progress.since_best += 1

    def _save(self) -> None:
        state = {
            "settings": self._settings,
            "progress": vars(self.progress),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average and self.average.weights,
            "rng": self.torch.get_rng_state(),
            "cuda_rng": self.torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }
        save_model(self.last, self.model, self.options.model, state=state)

    def _finish(self, log: RunLog) -> Figures:
        """Keeps the better of the last and the best model (on all held-out questions) as ``final``."""
        if self.average is not None:
            self.average.settle(self.model)
            self.average = None
        found, best = self.evaluate(), self.options.out / "best"
        log.write("end", model="last", **found.as_dict())
        if best.is_dir():
            last, self.model = self.model, self._prepare(load_model(best))
            other = self.evaluate()
            log.write("end", model="best", **other.as_dict())
            if other.balanced_f1 > found.balanced_f1:
                found = other
            else:
                self.model = last
        save_model(self.options.out / "final", self.model, self.options.model, half=True)
        draw_run(log.path)
        return found

    def _kinds(self) -> dict[str, int]:
        chosen = map(self.mixture.examples.__getitem__, self.mixture.epoch(0))
        return Counter(f"{'answerable' if one.answerable else 'unanswerable'}: {one.origin}" for one in chosen)


def _settings(options: TrainerOptions, mixture: MixtureOptions) -> dict[str, str]:
    """Returns the options that a resumed run must share with the first one, as text."""
    free = {"out", "minutes", "seconds", "device", "threads", "evaluate_every", "save_every", "evaluate_on", "patience"}
    both = {**vars(options), **{f"mixture.{name}": value for name, value in vars(mixture).items()}}
    return {name: str(value) for name, value in both.items() if name not in free}
