"""In service: an HTTP server over named routes, and what is kept of every decision.

Every decision is the chain's: nothing here decides. `route` is what answers under a name, `decision` what is kept of
an answer, `ports` what others hook in.

- The server: `app` and `http` take requests, `wire` has OpenAI's forms, `desk` and `admission` let a request in and
  keep what came of it, `stages` times its parts; `config` reads ``twosup.toml``, `build` makes routes of it, `serving`
  runs them.
- Before the hosted model: `gate`, with `breaker`, `retries` and `budget`; `size` bounds what is asked, `money` what it
  costs; `shadow` asks for labels alone.
- The log: `store` is the database, `log` its rows, `callback` and `observer` fill it without a server.
- What a log tells: `feedback` is what was said, `labels` are columns of it, which `recalibrate` and `replay` take;
  `stats` are figures, `watch` says whether promises are kept.
- Seen from outside: `day` and `page`, `metrics`, `traces`.
- On a cluster: `ray` answers data sets, `ledger` pays for each question once.
"""
