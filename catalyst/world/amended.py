"""Corrections of a generated day: some of the stories that would repeat another wire's become their publisher's own
correction, marked as each wire marks it; and entries that their publisher edits in place.

Pure. It draws with a random of its own and changes nothing else, so that all other items of a seed stay as they are. A
correction shares its story's fate: where that was alerted, the alert is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from catalyst.world.stories import Story

SHARE = 0.15  # of the duplicates, and one at least
SOONEST_S, LATEST_S = 2, 300  # after the story; in a short day a quarter of it at most
MARKS = {
    "globenewswire": ("CORRECTION: {title}", "UPDATE -- {title}"),
    "prnewswire": ("/C O R R E C T I O N -- {title}/", "CORRECTION: {title}"),
    "businesswire": ("CORRECTING and REPLACING {title}",),
    "accesswire": ("CORRECTION FROM SOURCE: {title}",),
    "newsfile": ("CORRECTION: {title}", "{title} (Corrected)"),
}
NOTE = " This release corrects and replaces the one issued earlier today; all else remains unchanged."


def amended(random: Random, stories: Sequence[Story], last_s: int) -> list[Story]:
    """The day's stories in their order, some duplicates replaced by corrections; `last_s` is the day's last moment."""
    first = {story.number: story for story in stories if story.of is None}
    chosen = [story for story in stories if story.what == "duplicate" and story.of is not None
              and first[story.of].offset_s + SOONEST_S <= last_s]
    random.shuffle(chosen)
    chosen.sort(key=lambda story: story.fate != "alerted")  # what is alerted shows
    wanted = max(1, round(SHARE * sum(story.what == "duplicate" for story in stories)))
    made = {story.number: _correction(random, story, first[story.of or 0], last_s) for story in chosen[:wanted]}
    return sorted((made.get(story.number, story) if story.what == "duplicate" else story for story in stories),
                  key=lambda story: (story.offset_s, story.number))


def edited(random: Random, stories: Sequence[Story]) -> list[Story]:
    """The day's stories in their order; where an alerted one's link would come a second time, its entry comes again as
    it is, later, under a title with a mark."""
    first = {story.number: story.offset_s for story in stories if story.what != "same_link"}
    return [replace(story, title=random.choice(MARKS[story.wire]).format(title=story.title), query="")
            if story.what == "same_link" and story.fate == "alerted" and story.offset_s > first[story.number] else story
            for story in stories]


def _correction(random: Random, story: Story, first: Story, last_s: int) -> Story:
    title = random.choice(MARKS[first.wire]).format(title=first.title)
    after_s = random.randint(SOONEST_S, max(SOONEST_S, min(LATEST_S, last_s // 4)))
    offset_s = min(first.offset_s + after_s, last_s)
    return replace(story, what="correction", wire=first.wire, title=title, lead=first.lead + NOTE, offset_s=offset_s)
