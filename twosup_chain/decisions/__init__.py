"""Typed decisions by two supervisors: LangChain's decision models (langchain-core 1.8 or later), local first."""
