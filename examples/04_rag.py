"""RAG in LCEL: retrieve, read several documents together, cite the place, or say that the documents do not say.

    pip install wordllama
    python examples/04_rag.py                                 # the local reader alone
    python examples/04_rag.py http://127.0.0.1:8000/v1        # with an OpenAI-compatible server as the hosted model

With a server, the last question of a conversation is first rewritten so that it can be searched for.
"""

import os
import sys

from langchain_core.runnables import RunnablePassthrough
from local_search import demo_retriever

from twosup_chain import ExtractiveReader, QuestionCondenser, Supervisor, TwoSupervisorChain

hosted = {}
if sys.argv[1:]:
    from langchain_openai import ChatOpenAI

    key = os.environ.get("OPENAI_API_KEY", "none")
    chat = ChatOpenAI(model="hosted", base_url=sys.argv[1], api_key=key, temperature=0, extra_body={"max_tokens": 48})
    hosted = {
        "remote": chat,
        "remote_supervisor": Supervisor("grounded", threshold=0.5),
        "on_remote_error": "no_answer",
    }

chain = TwoSupervisorChain(
    local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.7), **hosted
)
retriever = demo_retriever(k=3)
rag = {"question": RunnablePassthrough(), "context": retriever} | chain

for question in (
    "Who opens the gate of the harbour's sill?",
    "On which quay is the tide gauge?",
    "Who painted the ceiling of the opera house?",  # nothing of the kind: retrieval brings the wrong passages
):
    result = rag.invoke(question)
    print(f"{question}\n  {result.as_text('That is not in the documents.')}  [{result.status}, {result.source}]")
    for place in result.citations[:1]:
        print(f"  “{place.text}”: {place.metadata['title']}, characters {place.start}-{place.end}")

if hosted:
    conversation = {
        "question": "And where is the tide gauge there?",
        "history": [("user", "Who is the harbour master of Brennick?"), ("assistant", "Ailsa Crane.")],
    }
    print((QuestionCondenser(chat) | rag).invoke(conversation).as_text("That is not in the documents."))
