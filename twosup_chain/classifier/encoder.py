"""`Encoder`: a text's embedding, the mean of a reader's hidden states over all its tokens."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twosup_chain.classifier.graph import hidden_states
from twosup_chain.errors import ModelFileError
from twosup_chain.reader.engine import import_onnxruntime, load_tokenizer, pieces, session_options, verified_config
from twosup_chain.reader.folder import MODEL_FILE, unreadable

#: The most tokens of a text that are read at once, without the two that frame them.
WINDOW = 254


class Encoder:
    """A reader's folder, loaded as an encoder of texts: its layers up to the last that is asked for.

    `layers` are those whose hidden states are averaged, side by side in an embedding; 0 are the word embeddings.
    `digest` is that of the model's file.
    """

    def __init__(self, folder: Path, layers: tuple[int, ...], num_threads: int | None) -> None:
        config = verified_config(folder)
        self.digest = config.digest
        self._tokenizer = load_tokenizer(folder)
        self._frame = [self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")]
        onnxruntime = import_onnxruntime()
        options = session_options(num_threads)
        path = folder / MODEL_FILE
        try:
            model, self._names = hidden_states(path.read_bytes(), layers)
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's error classes have no public root
            raise unreadable(path, error) from error
        if None in self._frame:
            raise ModelFileError(f"{folder}: its tokenizer has no [CLS] and [SEP], which frame a text")

    def embed(self, text: str) -> NDArray[np.float64]:
        """Returns a text's embedding, shape (layers × width,).

        A text that is longer than a window is read in windows of equal length, each of which weighs as its tokens do.
        """
        ids = [i for _, piece in pieces(text) for i in self._tokenizer.encode(piece, add_special_tokens=False).ids]
        count = max(1, -(-len(ids) // WINDOW))
        bounds = [len(ids) * at // count for at in range(count + 1)]
        total: NDArray[np.float64] | float = 0.0
        for start, end in pairwise(bounds):
            window = np.array([[self._frame[0], *ids[start:end], self._frame[1]]], np.int64)
            states = self._session.run(self._names, {"input_ids": window, "token_type_ids": np.zeros_like(window)})
            total = total + np.concatenate([state[0].sum(axis=0, dtype=np.float64) for state in states])
        return np.asarray(total) / (len(ids) + 2 * count)
