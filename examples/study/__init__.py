"""The study: our supervisors against every rival rule, on the same recorded questions, in one run.

``compact`` turns recordings of a hosted and a small generative model, and a live run of the packaged reader, into data
without any passage or question text; ``tables`` makes every table from them. `questions` is the data, `columns` the
arrays, `rivals` and `ours` the rules, `systems`, `signals`, `oracle`, `shift` and `timing` the tables. From the
recordings in ``examples/study/data/recordings``, which ``python -m twosup_chain.demo.recording`` made of a part of each
file:

    cd examples/study/data/recordings && gunzip --keep *.gz; cd -; M=examples/study/data/recordings/qwen2.5-coder
    python examples/study compact --data SQUAD_DEV --remote $M-1.5b.jsonl --small $M-0.5b.jsonl --timed
        --out examples/study/data/squad.jsonl.gz
    python examples/study compact --data SQUAD_DEV --short --out examples/study/data/squad-read.jsonl.gz
    python examples/study compact --data EXTRA --remote $M-1.5b-covid.jsonl --remote $M-1.5b-policy.jsonl
        --remote $M-1.5b-quoref.jsonl --remote $M-1.5b-subjqa.jsonl --out examples/study/data/shift.jsonl.gz
    python examples/study compact --data EXTRA --source COVID-QA --source PolicyQA --source Quoref --source SubjQA
        --short --out examples/study/data/reader.jsonl.gz
    python examples/study tables --out examples/study/data
"""
