"""Replies that say in ordinary words that there is no answer, and answers that merely hold such words."""

from __future__ import annotations

import time

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain.answerers.consistency import SelfConsistent
from twosup_chain.answerers.prompt import parse_reply
from twosup_chain.answerers.reply import as_answer
from twosup_chain.answerers.stated import StatedAnswer, answer_from_structured

NO_ANSWERS = """
The answer is not in the passage.
There is no mention of it in the text
There's no mention of it in the text.
I'm sorry, but the passage does not say
I’m sorry, but the passage doesn’t say.
Sorry, the text doesn't mention that.
N/A
n/a.
**N/A**
Not stated.
Not stated in the passage.
Not mentioned
The passage does not mention it.
The given passage does not provide this information.
The provided text doesn't say who did.
The context doesn't contain the answer.
This information is not provided in the text.
That information isn't given.
The height of the tower is not mentioned in the passage.
The passage does not specify how tall the tower is.
I cannot find the answer in the passage.
I couldn't find that information in the document.
I don't know.
I do not know the answer.
I am unable to answer this question based on the passage.
I'm not able to determine this from the given context.
Unable to determine from the passage.
It is not possible to determine this from the text.
It's not possible to say.
It is impossible to say from the passage.
Unfortunately, the passage does not include that detail.
Based on the passage, it is not clear who built it.
Based on the given passage, the answer cannot be determined.
According to the text, there is no information about that.
There is no information about the keeper's wife in the passage.
No information is given.
No information about this is provided in the passage.
No mention of it.
The text makes no mention of a keeper.
The passage gives no information about that.
None of the passages mentions it.
Nothing in the passage says so.
The answer cannot be found in the text.
The question cannot be answered from the passage.
The question can't be answered using the given information.
Cannot be determined.
Not enough information.
There is not enough information to answer the question.
Insufficient information.
The answer isn't in the passage.
> The answer is not in the passage.
*The passage does not say.*
The passage is about the lighthouse and does not mention its height.
The article talks about ships, but it does not say who built them.
My apologies, but the document does not state this.
The answer is not stated.
The answer to the question is not given in the passage.
The exact date is not specified in the passage.
Not in the passage.
Not answerable
No answer found.
No answer is given in the passage.
There is no answer.
There is no answer in the passage.
The passage never mentions it.
The passage doesn't actually say.
It does not say.
It doesn't say in the passage.
It is not stated in the passage who built it.
It wasn't mentioned.
The passage has no information on this.
The information is not available.
Answer: N/A
"N/A"
Answer: not given
I can't answer that.
I cannot determine that from the passage.
We don't know.
The text provided does not mention that.
The text above does not mention the year.
No relevant information found in the context.
There is nothing in the passage about it.
The passage fails to mention the date.
No answer can be found in the passage.
No such information could be determined from the text.
No answer exists in the passage.
No answer possible.
No details are given.
No date is given.
None stated.
None given in the passage.
Answer not in passage.
It's not stated.
That's not in the passage.
That is not something the passage mentions.
Who built it is not stated.
There are no details about this.
There aren't any references to it in the text.
The passage lacks this information.
The passage gives no date.
I have no information about that.
I'm not certain who built it.
We are not told.
""".strip().splitlines()

ANSWERS = """
Paris
nothing
none
unknown
No
No one
nobody
not guilty
Not guilty by reason of insanity
he was not found guilty
404 Not Found error
No Answer Came
Unknown Soldier
unanswerable questions
an unanswerable argument
It was Ada
There is no place like home
There is no God but God
I cannot tell a lie
I don't know how to love him
The text messages
The Passage
the passage to India
No information technology
It was not built until 1874
It was never finished
because it was not profitable
The treaty was not ratified
does not matter
not in my backyard
not before 1874
in the passage between the houses
N/A-class ships
the answer
the question of slavery
That he did not say goodbye
It is a lighthouse
The document was signed in 1874
The article of faith
because the document did not arrive in time
The bridge was not mentioned
This Is Not a Love Song
information technology
No Country for Old Men
it did not rain
It did not have a roof
The story did not end well
The text of the treaty
sorry
Sorry, Wrong Number
No Reason
not clear
It was not known until 1920
they were unable to swim
No evidence was found
No date
No names were changed
None of the tenants
It's not Ada
that's not cricket
The story lacks a plot
How the lighthouse was not built
in text messages
I have no mouth
I'm not sure this will ever end
There are no lions in Ireland
""".strip().splitlines()

#: Answers that say no more than that there is none, where no passage holds them.
QUOTED = [
    ("Not Found", "The page said Not Found, in red."),
    ("not found", "Error 404 is spelt “Not Found”."),
    ("N/A", "The form had N/A in its last field."),
    ("No answer.", "He knocked twice: no answer. Then he left."),
    ("I don't know.", "Asked for his name, he said: “I don’t know.”"),
]


@pytest.mark.parametrize("reply", NO_ANSWERS)
def test_a_reply_that_says_so_is_no_answer(reply):
    assert parse_reply(reply) is None
    assert parse_reply(reply, ["A passage about something else, which is not found here."]) is None


@pytest.mark.parametrize("reply", ANSWERS)
def test_an_answer_that_holds_such_words_is_an_answer(reply):
    assert parse_reply(reply) is not None


@pytest.mark.parametrize(("reply", "passage"), QUOTED)
def test_what_the_passage_holds_word_for_word_is_quoted(reply, passage):
    assert parse_reply(reply) is None
    assert parse_reply(reply, ["Another passage.", passage]) == reply.removesuffix(".")


def test_the_word_that_the_prompt_offers_is_no_answer_whatever_the_passage_holds():
    assert parse_reply("Unanswerable.", ["Some questions are unanswerable."]) is None


@pytest.mark.parametrize(
    "piece", ["The passage ", "it ", "a ", "the exact ", "no ", "in the passage ", "is not ", "\n"]
)
def test_a_reply_of_any_length_is_read_at_once(piece):
    started = time.perf_counter()
    parse_reply("x" + piece * 100_000)
    assert time.perf_counter() - started < 0.5


ASKED = {"question": "What did the page say?", "context": "The page said Not Found, in red."}


@pytest.mark.parametrize(
    "answerer",
    [
        ChatAnswerer(FakeListChatModel(responses=["Not Found"])),
        SelfConsistent(FakeListChatModel(responses=["Not Found"]), samples=2),
    ],
    ids=["asked once", "asked twice"],
)
def test_every_answerer_knows_the_passage(answerer):
    assert answerer.invoke(ASKED).text == "Not Found"
    assert answerer.invoke({**ASKED, "context": "It was red."}).text is None


@pytest.mark.parametrize("role", ["local", "remote", "fallback"])
def test_every_part_of_a_chain_knows_the_passage(role):
    def says(_):
        return AIMessage("Not Found")

    trusting, never = (
        Supervisor(lambda question, answer: 1.0, threshold=0.5),
        Supervisor(lambda question, answer: 0.0, threshold=0.5),
    )
    if role == "local":
        chain = TwoSupervisorChain(local=says, local_supervisor=trusting)
    elif role == "remote":
        chain = TwoSupervisorChain(local=says, local_supervisor=never, remote=says, remote_supervisor=trusting)
    else:
        chain = TwoSupervisorChain(local=says, local_supervisor=never, fallback=says)
    found = chain.invoke(ASKED)
    assert (found.answer, found.source) == ("Not Found", role)
    assert chain.invoke({**ASKED, "context": "It was red."}).answer is None


def test_structured_and_plain_messages_are_read_with_the_passage():
    raw = {"raw": AIMessage(""), "parsed": StatedAnswer(answer="Not Found", confidence=0.5), "parsing_error": None}
    for passages, text in (([ASKED["context"]], "Not Found"), ([], None)):
        assert answer_from_structured(raw, passages).text == text
        assert as_answer(AIMessage("Not Found"), passages).text == text


@pytest.mark.parametrize("streams", [False, True])
def test_a_chat_model_knows_the_passage(streams):
    any_text = Supervisor(lambda question, answer: float(answer.text is not None), threshold=0.5)
    for context, status in ((ASKED["context"], "answered"), ("It was red.", "untrusted")):
        chat = TwoSupervisorChatModel(
            local=FakeListChatModel(responses=["Not Found"]),
            local_supervisor=any_text,
            context=lambda _, context=context: context,
        )
        last = list(chat.stream("What?"))[-1] if streams else chat.invoke("What?")
        assert last.response_metadata["twosup"]["status"] == status
