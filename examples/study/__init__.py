"""The study: our supervisors against every rival rule, on the same recorded questions, in one run.

Ours is the product itself: `fit_scorer`, `calibrate`, `evaluate` and `TwoSupervisorChain` on records of both models
(`ours`, `live`); nothing is decided here. What the study brings are the rivals (`rivals`), the division into folds of
whole articles (`questions`) and the tables (`systems`, `features`, `shift`, `tables`; `pairs` of models).

``records`` makes records without texts: the packaged reader is asked, and always for a span (``no_answer_below=0``, so
that "no answer" is left to the supervisors), the hosted model is played back from the recordings beside them, which
``python -m twosup_chain.demo.recording`` made of a part of each file. ``tables`` makes every table from the records,
``live`` sends the questions themselves through chains and compares:

    D=examples/study/data; M=$D/recordings/qwen2.5-coder
    python examples/study records SQUAD_DEV --remote $M-1.5b.jsonl.gz --out $D/squad.jsonl.gz
    python examples/study records SQUAD_DEV --remote $M-1.5b.jsonl.gz --local $M-0.5b.jsonl.gz --out $D/small.jsonl.gz
    python examples/study records EXTRA --remote $M-1.5b-covid.jsonl.gz --remote $M-1.5b-policy.jsonl.gz
        --remote $M-1.5b-quoref.jsonl.gz --remote $M-1.5b-subjqa.jsonl.gz --out $D/elsewhere.jsonl.gz
    python examples/study records SQUAD_DEV --remote $M-1.5b.jsonl.gz --reader base --known $D/squad.jsonl.gz
        --out $D/base.jsonl.gz
    python examples/study records SQUAD_DEV --remote $M-1.5b.jsonl.gz --hosted base --known $D/squad.jsonl.gz
        --known $D/base.jsonl.gz --out $D/hosted.jsonl.gz
    python examples/study tables --out $D
    python examples/study pairs --out $D
    python examples/study live SQUAD_DEV

``label-records`` and ``labels`` do the same for classification, the paper's other studies (`labels`); a file of records
packed with gzip as ``NAME.jsonl.gz`` is a study:

    twosup train-classifier TRAIN.jsonl --out MODEL
    python examples/study label-records TEST.jsonl --classifier MODEL --gguf FILE --instructions "Which kind of issue
        is it?" --out issues.jsonl
    python examples/study labels --data FOLDER
"""
