"""A tiny BERT and questions that it can learn, for tests of training."""

from __future__ import annotations

import json

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

COLOURS = ["red", "blue", "green", "black", "white", "grey"]
SIZES = ["big", "small", "long", "wide", "thin", "high"]
THINGS = ["door", "roof", "gate", "wall", "boat", "cart"]


def write_tokenizer(folder):
    """Writes a tokenizer of BERT's kind; returns how many tokens it has."""
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "what",
        "colour",
        "is",
        "the",
        "?",
        ".",
        ",",
        "near",
        *COLOURS,
        *SIZES,
        *THINGS,
    ]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(words)


def encoder(folder):
    """Writes a BERT of 2 layers × 32 without a question-answering head."""
    import torch
    import transformers

    torch.manual_seed(5)
    folder.mkdir(parents=True, exist_ok=True)
    config = transformers.BertConfig(
        vocab_size=write_tokenizer(folder),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def squad_file(path, things=THINGS):
    """Writes questions for the colour of things: half of the passages tell another property instead."""
    paragraphs = []
    for thing in things:
        for other in THINGS:
            for word in COLOURS + SIZES:
                context = f"The {thing} is {word} , near the {other}."
                answers = [{"text": word, "answer_start": context.index(f" {word} ") + 1}] if word in COLOURS else []
                question = {
                    "id": f"{thing}-{other}-{word}",
                    "question": f"What colour is the {thing}?",
                    "answers": answers,
                }
                paragraphs.append({"context": context, "qas": [{**question, "is_impossible": not answers}]})
    path.write_text(json.dumps({"data": [{"title": "Things", "paragraphs": paragraphs}]}), encoding="utf-8")
    return path
