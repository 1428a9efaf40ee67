"""Title and the news of a summary as one text, folded for the phrases of the rule table, with its sentences."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from catalyst.core.boilerplate import about_start, month_of, year_of
from catalyst.core.wordscan import Folded, fold, sentence_ends

SUMMARY_LIMIT = 2_000   # characters of the summary that are read: behind them stands boilerplate
LEAD = 4                # sentences of the summary that are read: a release says its news first


class StoryText(msgspec.Struct, frozen=True):
    """Title and the head of the summary as one folded text; the title is sentence 0."""

    title: Folded
    summary: Folded
    folded: str
    title_end: int
    ends: list[int]
    year: int
    month: int

    @classmethod
    def of(cls, title: str, summary: str) -> StoryText:
        head, body = fold(title), fold(summary[:about_start(summary[:SUMMARY_LIMIT])])
        ends = sentence_ends(body.text, LEAD)
        text = body.text[:ends[-1]] if len(ends) == LEAD else body.text
        first = len(head.text) + 1
        return cls(head, body, f"{head.text}\n{text}", len(head.text), [first, *(first + end for end in ends)],
                   year_of(text), month_of(text))

    def sentence(self, position: int) -> int:
        """Number of the sentence that `position` is in."""
        return bisect_right(self.ends, position)

    def parts(self, first: int, second: int) -> bool:
        """Whether a sentence ends between the characters at two positions."""
        number = bisect_right(self.ends, first)
        return number < len(self.ends) and self.ends[number] <= second

    def said(self, position: int) -> str:
        """The sentence of `position`, letter for letter."""
        number = bisect_right(self.ends, position)
        end = self.ends[number] if number < len(self.ends) else len(self.folded)
        return self.original(self.begin(position), min(end, self.title_end) if not number else end)

    def begin(self, position: int) -> int:
        """Where the sentence of `position` begins."""
        number = bisect_right(self.ends, position)
        return self.ends[number - 1] if number else 0

    def original(self, start: int, end: int) -> str:
        """What the story says there, letter for letter."""
        if end <= self.title_end:
            return self.title.original(start, end)
        return self.summary.original(start - self.title_end - 1, end - self.title_end - 1)
