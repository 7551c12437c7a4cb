"""A chatbot's backend: a GGUF in this process answers, a hosted model only where the local reply is not trusted.

    pip install 'twosup-chain[llama,openai]'
    python examples/03_chatbot.py MODEL.gguf http://127.0.0.1:8000/v1

Any OpenAI-compatible server will do; the key, if it wants one, is read from OPENAI_API_KEY. The model is a LangChain
chat model like any other: it takes ChatOpenAI's place in a chain, a graph or an agent. What is streamed was trusted
before it is shown; the decision and the tokens of both models come with the last chunk.
"""

import os
import sys

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from twosup_chain import LlamaCppChat, Supervisor, TwoSupervisorChatModel

model_path, base_url = sys.argv[1:3]

chat = TwoSupervisorChatModel(
    local=LlamaCppChat(model_path=model_path, max_tokens=32),
    local_supervisor=Supervisor("mean_token_probability", threshold=0.7),
    remote=ChatOpenAI(
        model="hosted",
        base_url=base_url,
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
        temperature=0,
        logprobs=True,
        top_logprobs=1,  # some servers send no log-probabilities without
        extra_body={"max_tokens": 32},
    ),
    remote_supervisor=Supervisor("mean_token_probability", threshold=0.5),
    on_remote_error="local",  # a broken line must not break the chat
    no_answer="I am not sure enough to say. Shall I ask a colleague?",
)

history: list[BaseMessage] = [SystemMessage("You answer in one short sentence.")]
for said in ("What is the capital of France?", "And which river flows through it?"):
    history.append(HumanMessage(said))
    print(f"you: {said}\nbot: ", end="")
    whole = None
    for chunk in chat.stream(history):
        print(chunk.text, end="", flush=True)
        whole = chunk if whole is None else whole + chunk
    decision = whole.response_metadata["twosup"]
    print(f"\n     [{decision['source']}, {whole.usage_metadata['total_tokens']} tokens] {decision['reason']}")
    history.append(AIMessage(whole.text))
