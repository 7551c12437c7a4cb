"""How the result of a chain is called in the figures of recorded questions."""

ENDINGS = {
    ("local", "answered"): "local_answer",
    ("local", "unanswerable"): "local_no_answer",
    ("remote", "answered"): "remote_answer",
    ("remote", "unanswerable"): "remote_no_answer",
    ("none", "unanswerable"): "weighed_no_answer",
    ("none", "untrusted"): "untrusted",
}
