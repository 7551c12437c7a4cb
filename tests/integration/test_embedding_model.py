"""`EmbeddingSimilarity` with a real sentence-transformers model, tiny and untrained, loaded from its folder."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain import Answer, EmbeddingSimilarity, QAInput, Supervisor, TwoSupervisorChain
from twosup_chain.reader.folder import PACKAGED_MODEL

pytest.importorskip("torch", reason="sentence-transformers needs torch")
package = pytest.importorskip("sentence_transformers", reason="the extra 'embeddings' is not installed")
SentenceTransformer = package.SentenceTransformer

pytestmark = pytest.mark.integration

SENTENCES = "Ellen Marsh designed the tower.", "The harbour froze in 1931."
QUESTION = QAInput(question="Who designed the tower?", context=" ".join(SENTENCES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    encoder, model = tmp_path_factory.mktemp("encoder"), tmp_path_factory.mktemp("models") / "tiny"
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(PACKAGED_MODEL / "tokenizer.json"), **special)
    tokenizer.save_pretrained(encoder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(encoder)
    SentenceTransformer(str(encoder), device="cpu").save(str(model))  # which adds the mean over the tokens
    return model


def test_the_trust_is_the_models_own_cosine(folder):
    scorer = EmbeddingSimilarity(folder)
    model = SentenceTransformer(str(folder), device="cpu")
    for text, sentence in zip(("Ellen Marsh", "1931"), SENTENCES, strict=True):
        both = model.encode([f"{QUESTION.question} {text}", sentence])
        expected = float(both[0] @ both[1] / np.linalg.norm(both, axis=1).prod())
        assert scorer(QUESTION, Answer(text)) == pytest.approx(max(0.0, expected), abs=1e-5)


def test_a_chain_is_supervised_by_it(folder):
    scorer = EmbeddingSimilarity(str(folder))
    chain = TwoSupervisorChain(
        local=lambda _: Answer("Ellen Marsh"),
        local_supervisor=Supervisor(scorer, threshold=0.0),
        remote=lambda _: Answer("nobody"),
        remote_supervisor=Supervisor(scorer, threshold=1.0),
    )
    result = chain.invoke(QUESTION)
    assert (result.answer, result.source) == ("Ellen Marsh", "local")
    assert result.local_verdict.score == pytest.approx(scorer(QUESTION, Answer("Ellen Marsh")))
