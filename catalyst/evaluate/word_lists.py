"""Lists of finance words with a weight, and a score from them alone.

The lists are our own, written for headlines of wires and market reports. The sentiment's model takes them as what it
believes of a word before it has seen one, and is compared with them. A word counts once in a text, the title three
times as much as the summary.
"""

from __future__ import annotations

import math
import re

from catalyst.core.wordscan import fold

SUMMARY_LIMIT = 1_500  # characters of the summary that are read
TITLE_SHARE = 3.0      # the title's weight beside the summary's
SOFTNESS = 3.0         # one plain word of weight 1 in the title alone gives 0.5
NEGATED = -0.7         # "not strong" is not as bad as "weak"
_WORD = re.compile(r"[a-z][a-z'&]*")

_UP = {
    3: "soar soars soared soaring surge surges surged surging skyrocket skyrockets skyrocketed breakthrough "
       "blockbuster outperform outperforms outperformed outperforming",
    2: "beat beats beating rally rallies rallied rallying jump jumps jumped jumping record strong stronger "
       "strongest approval approves approved upgrade upgrades upgraded win wins won winning boost boosts boosted "
       "boosting gain gains gained gaining positive positively profit profits profitable profitability rise "
       "rises rising rose climb climbs climbed climbing exceed exceeds exceeded exceeding tops topped topping "
       "bullish upbeat robust double doubles doubled triple triples tripled accretive successful successfully "
       "success succeeds outpace outpaces zoom zooms zoomed rebound rebounds rebounded optimistic optimism buy "
       "overweight accelerates accelerated superior significant significantly statistically durable compelling "
       "encouraging promising clearance cleared acquired takeover buyout turnaround spurt spurts buoyant shines "
       "shine cheer cheers bright",
    1: "up higher high increase increases increased increasing growth grow grows growing grew advance advances "
       "advanced advancing improve improves improved improvement improving expand expands expanded expanding "
       "expansion award awarded awards secure secures secured achieve achieves achieved milestone milestones "
       "innovative leading best good great better favorable favourable benefit benefits recover recovers "
       "recovered recovery support supports supported contract order orders partnership collaboration granted "
       "grant grants launch launches launched launching complete completes completed dividend bonus buyback "
       "repurchase raises raised raise lifts lifted uptrend upside attractive opportunity opportunities "
       "confident confidence momentum demand healthy solid stable regains regained extend extends extended reach "
       "reaches strengthens strengthen strengthened meet meets met designation patent firm firms firmed resilient "
       "recommends inks bags bagged wealth rich accumulate gainers ahead green revive revives revived ease eases "
       "easing deal novel efficacy responses response tie",
}
_DOWN = {
    3: "plunge plunges plunged plunging crash crashes crashed crashing bankrupt bankruptcy insolvency insolvent "
       "fraud plummet plummets plummeted tank tanks tanked tumble tumbles tumbled tumbling slump slumps slumped "
       "delisting delisted default defaults defaulted scam collapse collapses collapsed nosedive crisis",
    2: "fall falls fell falling drop drops dropped dropping decline declines declined declining loss losses lose "
       "loses lost losing miss misses missed missing weak weaker weakest weakness weakens slide slides slid "
       "sliding sink sinks sank sunk negative negatively downgrade downgrades downgraded lawsuit lawsuits sues "
       "sued investigation probe subpoena fail fails failed failing failure warn warns warned warning warnings "
       "bearish underperform underperforms underperformed underweight sell cut cuts cutting slash slashes "
       "slashed layoffs layoff recall recalls reject rejects rejected rejection terminate terminates terminated "
       "termination halt halts halted suspend suspends suspended suspension hit hits hurt hurts penalty fine "
       "fined deficiency noncompliance dilution dilutive writedown writeoff impairment deficit shortfall "
       "disappointing disappoints disappointed disappoint poor worst worse worsens drags drag dragged plagued "
       "debtridden stressed distress distressed fears fear panic bleed bleeds bleeding erode erodes eroded wipe "
       "wiped rout selloff unfavorable adverse adversely discontinue discontinues discontinued death deaths "
       "futility weigh weighs woes concern concerns worry worries worried gloomy bloodbath dump dumps shed sheds "
       "tepid",
    1: "down lower lowers lowered low decrease decreases decreased decreasing slow slows slower slowing slowdown "
       "sluggish delay delays delayed delaying resign resigns resigned resignation cautious caution uncertainty "
       "uncertain risk risks risky volatile volatility pressure pressures debt offering offerings warrants "
       "notice breach breaches dip dips dipped slip slips slipped pare pares pared flat muted subdued soft "
       "reverse downside headwinds doubt doubts against under withdraw withdraws withdrawn withdrawal "
       "withdrawing restructuring liquidation shutdown closure widens widened lowest lows below bad soften "
       "softens selling outflows impact impacted hold unlikely trouble troubled troubles red bear bears "
       "correction profitbooking trim trims trimmed lag lags lagged laggard expensive avoid exit exits stake- "
       "sale costs outflow reduces reduced reduction struggle struggles struggling barely fails remains "
       "profittaking overvalued crunch glut tariff tariffs ban bans banned unable",
}
LEXICON = {word: weight * sign for sign, table in ((1, _UP), (-1, _DOWN)) for weight, words in table.items()
           for word in words.split()}
_NEGATIONS = "not no never without neither nor cannot can't won't didn't doesn't isn't fails failed unable hardly"
NEGATIONS = frozenset(_NEGATIONS.split())
_TURNED = ("loss losses debt deficit deficits risk risks cost costs deaths death mortality relapse pain toxicity "
           "decline expenses rejection npa npas")
TURNED = frozenset(_TURNED.split())  # less of these is good: "narrows loss", "reduces debt"
_LESS = ("narrow narrows narrowed narrower reduce reduces reduced reducing reduction cut cuts cutting lower lowers "
         "lowered decrease decreases decreased eliminates eliminated erases trims trim shrinks")
LESS = frozenset(_LESS.split())
TELLING = TURNED.union(LEXICON)


def score(title: str, summary: str = "") -> float:
    """-1 to 1; 0 when no word of the lexicon is in it."""
    total = TITLE_SHARE * _weigh(title) + _weigh(summary[:SUMMARY_LIMIT])
    return round(total / math.sqrt(total * total + (TITLE_SHARE * SOFTNESS) ** 2), 4) if total else 0.0


def _weigh(text: str) -> float:
    """Sum of the weights of the words of a text, each word once."""
    words = _WORD.findall(fold(text).text)
    weights: dict[str, float] = {}
    for place, word in enumerate(words):
        if word not in TELLING:
            continue
        before = words[max(0, place - 3):place]
        if word in TURNED and not LESS.isdisjoint(before):
            weights[word] = 3.5
        elif word in LEXICON and word not in weights:
            weights[word] = LEXICON[word] * (1.0 if NEGATIONS.isdisjoint(before) else NEGATED)
    return math.fsum(weights.values())
