"""A GGUF model in this process as the local model, any OpenAI-compatible server as the hosted one.

    pip install 'twosup-chain[llama,openai]'
    python examples/08_llama_cpp_and_openai.py MODEL.gguf http://127.0.0.1:8000/v1

The key, if the server wants one, is read from OPENAI_API_KEY.
"""

import os
import sys

from langchain_openai import ChatOpenAI

from twosup_chain import LlamaCppAnswerer, Supervisor, TwoSupervisorChain

model_path, base_url = sys.argv[1:3]

chain = TwoSupervisorChain(
    local=LlamaCppAnswerer(model_path=model_path),
    # the least probable token of the local answer, as in the paper
    local_supervisor=Supervisor("min_token_probability", threshold=0.6),
    remote=ChatOpenAI(
        model="hosted",
        base_url=base_url,
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
        temperature=0,
        logprobs=True,  # the remote supervisor below reads them
        top_logprobs=1,  # some servers send none without
        extra_body={"max_tokens": 24},
    ),
    remote_supervisor=Supervisor("min_token_probability", threshold=0.4),
    on_remote_error="local",  # a broken line must not break the chat
)

passage = "The ferry Halcyon left Port Amsel at 6:40 with 112 passengers. Fog delayed her arrival by two hours."
for question in ("When did the ferry leave?", "What delayed the arrival?", "What is the captain's name?"):
    result = chain.invoke({"question": question, "context": passage})
    spent = result.usage["total_tokens"] if result.usage else 0
    print(f"{question}\n  {result.as_text('(no answer)')}  [{result.source}, {spent} tokens, {result.seconds:.1f} s]")
    print(f"  {result.reason}")
