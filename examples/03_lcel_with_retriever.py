"""Inside an LCEL pipeline: a retriever finds the documents, the chain reads them and says where the answer stands.

    python examples/03_lcel_with_retriever.py

Any LangChain retriever fits; this one, which counts shared words, keeps the example free of further installs.
"""

import re
from typing import Any

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain

DOCUMENTS = [
    Document(
        page_content="Travel abroad must be approved by the head of department ten days ahead.", metadata={"page": 2}
    ),
    Document(page_content="Hotel nights are refunded up to 140 euros, breakfast included.", metadata={"page": 3}),
    Document(page_content="Receipts are kept for six years in the archive in Lindau.", metadata={"page": 7}),
]


class SharedWords(BaseRetriever):
    """Returns the two documents that share most words with the question."""

    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        words = set(re.findall(r"\w+", query.lower()))
        return sorted(DOCUMENTS, key=lambda d: -len(words & set(re.findall(r"\w+", d.page_content.lower()))))[:2]


chain = TwoSupervisorChain(
    local=ExtractiveReader(),
    local_supervisor=Supervisor("answerability", threshold=0.7),
    fallback=None,  # or a chain that hands the question to a colleague
)
pipeline = {"question": RunnablePassthrough(), "context": SharedWords()} | chain

for question in ("Where are receipts kept?", "What is the limit for a hotel night?", "Who pays for lost luggage?"):
    result = pipeline.invoke(question)
    if result.answer is None:
        print(f"{question}  ->  not in the documents")
    else:
        found = result.local
        print(f"{question}  ->  {result.answer}  (document {found.document}, characters {found.start}-{found.end})")

text_pipeline = {"question": RunnablePassthrough(), "context": SharedWords()} | chain.as_text("Please ask Accounts.")
print(text_pipeline.invoke("Who pays for lost luggage?"))
