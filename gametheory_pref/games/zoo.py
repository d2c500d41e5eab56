"""Named games with known answers, exact and with their source: for tests, for trying out, for teaching."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from ..errors import UnknownName
from . import zoo_tables as tables
from .zoo_entry import ZooEntry, matrix_entry, preference_entry


class Zoo(Mapping[str, ZooEntry]):
    """Games by name, each a `ZooEntry`; iterate over it, or print it to see what there is.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> entry = gp.zoo["comal"]
    >>> entry.game
    PreferenceGame(3 responses)
    >>> [str(p) for p in entry.winner_exact]
    ['4/11', '3/11', '4/11']
    """

    def __init__(self, entries: Iterable[ZooEntry]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> ZooEntry:
        try:
            return self._entries[name]
        except KeyError:
            close = difflib.get_close_matches(str(name), self._entries, n=1)
            close = close or [known for known in self._entries if str(name) in known]
            hint = f"did you mean {close[0]!r}?" if close else f"the zoo has {', '.join(self._entries)}"
            raise UnknownName(f"no game is called {name!r}; {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        width = max(map(len, self._entries), default=0)
        lines = [f"  {name:<{width}}  {entry.title}" for name, entry in self._entries.items()]
        return "\n".join([f"Zoo of {len(self)} games:", *lines])


_OPPOSITE_EDGE = "In a cycle of three, each is played in proportion to the margin between the other two."

_CYCLES = (
    preference_entry(
        "rock_paper_scissors",
        "rock, paper, scissors",
        partial(
            tables.contests,
            "rock paper scissors",
            {"rock scissors": "1", "scissors paper": "1", "paper rock": "1"},
        ),
        "1/3 1/3 1/3",
        source="Folklore; the margins are equal. " + _OPPOSITE_EDGE,
        note="The answer is where most methods start: only good together with games that are off-centre.",
    ),
    preference_entry(
        "biased_rock_paper_scissors",
        "rock, paper, scissors with unequal margins",
        partial(
            tables.contests,
            "rock paper scissors",
            {"rock scissors": "0.6", "scissors paper": "0.9", "paper rock": "0.7"},
        ),
        "4/7 1/7 2/7",
        source="Margins 0.4 (paper, scissors), 0.1 (scissors, rock), 0.2 (rock, paper). " + _OPPOSITE_EDGE,
        note="Playing more of what wins by more would give another answer.",
    ),
    preference_entry(
        "almost_tie",
        "a cycle of three with one margin of a millionth",
        partial(
            tables.contests,
            "rock paper scissors",
            {"rock scissors": "0.500001", "scissors paper": "0.8", "paper rock": "0.7"},
        ),
        "300000/500001 1/500001 200000/500001",
        source=_OPPOSITE_EDGE,
        note="Paper is played twice in a million: a tolerance on the gap cannot see it.",
    ),
    preference_entry(
        "comal",
        "the COMAL cycle of three",
        partial(tables.contests, "a b c", {"b a": "0.9", "c b": "0.9", "a c": "0.8"}),
        "4/11 3/11 4/11",
        source="Liu et al., COMAL (arXiv 2410.23223), synthetic example. Margins 0.4, 0.4, 0.3. "
        + _OPPOSITE_EDGE,
    ),
    preference_entry(
        "preference_shift",
        "three kinds of raters in a cycle, shares 7/30, 23/60, 23/60",
        partial(tables.contests, "y1 y2 y3", {"y1 y2": "37/60", "y2 y3": "83/120", "y3 y1": "83/120"}),
        "23/60 23/60 7/30",
        source="The equilibrium (1/3 + e/2, 1/3 + e/2, 1/3 - e) of Munos et al., Nash learning from human "
        "feedback (arXiv 2312.00886), at e = 1/10: each kind of rater decides one pair and is indifferent on "
        "the others. " + _OPPOSITE_EDGE,
        note="It moves continuously with the shares, where a reward model jumps from one response to "
        "another.",
    ),
    preference_entry(
        "dominated_lizard",
        "rock, paper, scissors and a lizard that loses to all",
        partial(
            tables.contests,
            "rock paper scissors lizard",
            {
                "rock scissors": "1", "scissors paper": "1", "paper rock": "1",
                "rock lizard": "0.6", "paper lizard": "0.6", "scissors lizard": "0.6",
            },
        ),
        "1/3 1/3 1/3 0",
        source="The lizard is outside the Smith set, so it is never played.",
        note="The winner is on the boundary of the simplex.",
        smith=("rock", "paper", "scissors"),
    ),
    preference_entry(
        "rock_paper_scissors_well",
        "rock, paper, scissors and a well that beats both rock and scissors",
        partial(
            tables.contests,
            "rock paper scissors well",
            {
                "rock scissors": "1", "scissors paper": "1", "paper rock": "1",
                "well rock": "1", "well scissors": "1", "paper well": "1",
            },
        ),
        "0 1/3 1/3 1/3",
        source="Folklore. The well does at least as well as rock against everything and better against rock; "
        "without rock, paper, scissors and well form a cycle with equal margins.",
        note="Rock is in the Smith set, because it beats scissors, and yet no winner plays it.",
    ),
    preference_entry(
        "unplayed_strongest_win",
        "a cycle of four whose largest victory goes to the one that nobody plays",
        partial(
            tables.contests,
            "a b c d",
            {"a b": "0.6", "b c": "0.8", "c d": "1", "d a": "0.7", "a c": "0.7", "b d": "0.6"},
        ),
        "1/4 1/2 0 1/4",
        source="a, b, d cycle with margins 0.1 (a b), 0.1 (b d), 0.2 (d a); against their mixture c gets "
        "-0.075. " + _OPPOSITE_EDGE,
        note="An even tournament has an odd support; c is in the Smith set.",
    ),
    preference_entry(
        "rock_paper_scissors_lizard_spock",
        "rock, paper, scissors, lizard, Spock",
        partial(tables.circulant, ("rock", "paper", "scissors", "Spock", "lizard"), (2, 4)),
        "1/5 1/5 1/5 1/5 1/5",
        source="S. Kass and K. Bryla. In this order response i beats i + 2 and i + 4 modulo 5; the rotation "
        "maps the game onto itself and the winner is unique, hence uniform.",
    ),
    preference_entry(
        "weighted_five_cycle",
        "five responses in a ring, each beating the next, with margins 0.1 to 0.5",
        partial(
            tables.contests,
            "a b c d e",
            {"a b": "0.6", "b c": "0.7", "c d": "0.8", "d e": "0.9", "e a": "1"},
        ),
        "1/5 3/8 1/10 1/4 3/40",
        source="With margin w_i of i over i + 1 every response ties against p when w_i p_(i+1) = w_(i-1) "
        "p_(i-1); going round the ring in steps of two gives p proportional to (8, 15, 4, 10, 3).",
    ),
    preference_entry(
        "quadratic_residue_seven",
        "the tournament of seven in which every two are beaten by a third",
        partial(tables.circulant, tuple(range(7)), (1, 2, 4)),
        "1/7 1/7 1/7 1/7 1/7 1/7 1/7",
        source="Paley tournament: i beats j when j - i is a square modulo 7. Uniform by the rotation, and "
        "unique because a tournament has one winner (Fisher and Ryan 1992).",
    ),
)

_ORDERED = (
    preference_entry(
        "clear_favourite",
        "one response beats all; the others form a cycle",
        partial(
            tables.contests,
            "a b c d",
            {"a b": "0.6", "a c": "0.55", "a d": "0.7", "b c": "0.8", "c d": "0.8", "d b": "0.8"},
        ),
        "1 0 0 0",
        source="A response that beats every other one is the only winner.",
        note="The others have the larger victories.",
        smith=("a",),
    ),
    preference_entry(
        "bradley_terry",
        "strengths 8, 4, 2, 1 in the Bradley-Terry model",
        partial(tables.bradley_terry, {"a": 8, "b": 4, "c": 2, "d": 1}),
        "1 0 0 0",
        source="The model is transitive, so the strongest beats all.",
        smith=("a",),
    ),
    preference_entry(
        "star",
        "one response surely beats 99 others that tie",
        partial(tables.star, 100),
        "1" + 99 * " 0",
        source="A response that beats every other one is the only winner.",
        smith=(0,),
    ),
)

_NOT_UNIQUE = (
    preference_entry(
        "weak_condorcet",
        "a ties b and beats c, but c beats b",
        partial(tables.contests, "a b c", {"a c": "0.55", "c b": "0.65"}),
        "3/4 1/4 0",
        source="c must not gain against (1 - t, t, 0): -0.05 (1 - t) + 0.15 t <= 0, so t <= 1/4. Entropy "
        "grows up to t = 1/2, so its maximum is at the end of the segment.",
        note="b is played by winners although it is outside the Schwartz set; a never loses, but ties.",
        dimension=1,
        schwartz=("a",),
    ),
    preference_entry(
        "two_scissors",
        "rock, paper, scissors with the scissors twice",
        partial(
            tables.contests,
            "rock paper scissors shears",
            {
                "rock scissors": "1", "scissors paper": "1", "paper rock": "1",
                "rock shears": "1", "shears paper": "1",
            },
        ),
        "1/3 1/3 1/6 1/6",
        source="Clones share the probability 1/3 in any way; entropy is largest when they halve it.",
        note="A clone changes no probability of the others.",
        dimension=1,
    ),
    preference_entry(
        "all_ties",
        "three responses that all tie",
        partial(tables.contests, "a b c", {}),
        "1/3 1/3 1/3",
        source="Every policy is a winner.",
        dimension=2,
    ),
    preference_entry(
        "blotto",
        "Colonel Blotto with 5 soldiers on 3 fields",
        partial(tables.blotto, 5, 3),
        "0 0 1/9 1/9 0 0 0 1/9 0 1/9 0 1/9 0 0 1/9 1/9 1/9 1/9 0 0 0",
        source="E. Borel 1921, discrete form. The nine orders of 0-2-3 and 1-1-3 in equal parts are a winner "
        "and nobody else is played by any; no policy on nine responses has more entropy.",
        dimension=4,
        schwartz=(
            "0-1-4", "0-2-3", "0-3-2", "0-4-1", "1-0-4", "1-1-3", "1-2-2", "1-3-1", "1-4-0",
            "2-0-3", "2-1-2", "2-2-1", "2-3-0", "3-0-2", "3-1-1", "3-2-0", "4-0-1", "4-1-0",
        ),
    ),
    preference_entry(
        "penney",
        "Penney's game on three tosses, both words chosen at once",
        partial(tables.penney, 3),
        "0 0 1/9 7/18 7/18 1/9 0 0",
        source="W. Penney 1969, odds by J. H. Conway's leading numbers. HTH, HTT, THH, THT tie among "
        "themselves; by the symmetry of heads and tails entropy is largest at (a, b, b, a), where HHT does "
        "not gain for a <= 1/9.",
        note="Whoever chooses second can always win; when both choose at once, four of the eight words are "
        "safe. At the maximum of entropy a word outside the support ties with the policy.",
        dimension=3,
        schwartz=("HHT", "HTT", "THH", "TTH"),
    ),
    preference_entry(
        "dice_efron",
        "Efron's four dice, each beating the next with 2/3",
        partial(tables.dice, (4, 4, 4, 4, 0, 0), (3,) * 6, (6, 6, 2, 2, 2, 2), (5, 5, 5, 1, 1, 1)),
        (0.24501150565136376, 0.2958237452905302, 0.24501150565136376, 0.2141532434067423),
        source="M. Gardner, Scientific American, December 1970. The winners are (a, 1/2 - 5a/6, a, 1/2 - "
        "7a/6) for 0 <= a <= 3/7; entropy is largest where a^12 = b^5 d^7, which is irrational.",
        note="Uniform is not a winner: the third die beats the first with 5/9.",
        dimension=1,
    ),
)

_DICE = (
    preference_entry(
        "dice_nash_md",
        "three dice in a cycle with 5/9",
        partial(tables.dice, (2, 4, 9), (1, 6, 8), (3, 5, 7)),
        "1/3 1/3 1/3",
        source="Munos et al., Nash learning from human feedback (arXiv 2312.00886). " + _OPPOSITE_EDGE,
    ),
    preference_entry(
        "dice_miwin",
        "Miwin's three dice, 17 of 36 against 16",
        partial(tables.dice, (1, 2, 5, 6, 7, 9), (1, 3, 4, 5, 8, 9), (2, 3, 4, 6, 7, 8)),
        "1/3 1/3 1/3",
        source="M. Winkelmann 1975. " + _OPPOSITE_EDGE,
        note="Margins of 1/72.",
    ),
    preference_entry(
        "dice_oskar",
        "Oskar's seven dice: whatever two opponents take, a third beats both",
        partial(
            tables.dice,
            *(
                (a, a, b, b, c, c)
                for a, b, c in (
                    (2, 14, 17), (7, 10, 16), (5, 13, 15), (3, 9, 21), (1, 12, 20), (6, 8, 19), (4, 11, 18),
                )
            ),
        ),
        "1/7 1/7 1/7 1/7 1/7 1/7 1/7",
        source="O. van Deventer. Each die beats three others with 5/9; the margins are those of the "
        "tournament of seven by squares.",
    ),
)

_ELECTIONS = (
    preference_entry(
        "govan_2007",
        "Glasgow city council 2007, ward Govan: a cycle of three in 9560 ballots",
        partial(tables.electorate, tables.GOVAN_NAMES, tables.GOVAN_WINS, tables.GOVAN_VOTERS),
        "0 0 86/709 21/709 0 602/709 0 0 0 0 0",
        source="PrefLib 00008-00000009, unranked candidates tied below the ranked. Dornan beats Flanagan by "
        "602, Flanagan beats Hunter by 86, Hunter beats Dornan by 21, and each beats all others. "
        + _OPPOSITE_EDGE,
        note="Counting only ballots that rank both candidates of a pair, Hunter beats everybody.",
        smith=("Stephen Dornan", "John Flanagan", "Allison Hunter"),
    ),
    preference_entry(
        "ers_86",
        "an election of the Electoral Reform Society, played by win rates",
        partial(tables.counted, tables.ERS_86_NAMES, tables.ERS_86_WINS),
        "23940/45763 9891/45763 11932/45763 0",
        source="PrefLib 00007-00000086, a ballot counts for a pair when it ranks both. Win rates minus "
        "losses: 8/168 (1 over 2), 15/157 (2 over 3), 6/152 (3 over 1). " + _OPPOSITE_EDGE,
        smith=("Candidate 1", "Candidate 2", "Candidate 3"),
    ),
    preference_entry(
        "ers_86_margins",
        "the same election, played by wins minus losses",
        partial(tables.counted, tables.ERS_86_NAMES, tables.ERS_86_WINS, kind="margin"),
        "15/29 6/29 8/29 0",
        source="PrefLib 00007-00000086. Wins minus losses: 8 (1 over 2), 15 (2 over 3), 6 (3 over 1). "
        + _OPPOSITE_EDGE,
        note="Not the winner of ers_86: the pairs were not compared equally often.",
        smith=("Candidate 1", "Candidate 2", "Candidate 3"),
    ),
    preference_entry(
        "tour_de_france_1921",
        "the five riders on top of the Tour de France 1921, its 15 stages as voters",
        partial(tables.counted, tables.TOUR_1921_NAMES, tables.TOUR_1921_WINS),
        "0 7/11 1/11 3/11 0",
        source="PrefLib 00043-00000107, the Smith set of 38 riders. Scieur, Lucotti, Mottiat cycle with "
        "margins 3, 7, 1; the other two lose to their mixture. " + _OPPOSITE_EDGE,
    ),
    preference_entry(
        "burlington_2009",
        "the election of Burlington's mayor in 2009",
        partial(tables.electorate, tables.BURLINGTON_NAMES, tables.BURLINGTON_WINS, tables.BURLINGTON_VOTERS),
        "0 1 0 0 0 0",
        source="PrefLib 00005-00000002, unranked candidates tied below the ranked. Montroll wins every pair.",
        note="Kiss won the instant-runoff count.",
        smith=("Andy Montroll",),
    ),
    preference_entry(
        "tennessee",
        "the capital of Tennessee, a textbook electorate of 100",
        partial(tables.counted, tables.TENNESSEE_NAMES, tables.TENNESSEE_WINS),
        "0 1 0 0",
        source="Textbook example of voting theory: voters rank four cities by distance, 42 live near "
        "Memphis, 26 near Nashville, 15 near Chattanooga, 17 near Knoxville. Nashville wins every pair.",
        note="Memphis has most first places and loses every pair.",
        smith=("Nashville",),
    ),
    preference_entry(
        "pandalm",
        "five language models in 2997 human judgements",
        partial(tables.counted, tables.PANDALM_NAMES, tables.PANDALM_WINS, ties=tables.PANDALM_TIES),
        "0 0 1 0 0",
        source="PandaLM (arXiv 2306.05087), human test annotations, Apache-2.0. llama-7b wins every pair.",
        smith=("llama-7b",),
    ),
    preference_entry(
        "arena",
        "seven chat models in 42550 arena votes up to 29 March 2024",
        partial(tables.counted, tables.ARENA_NAMES, tables.ARENA_WINS),
        "1 0 0 0 0 0 0",
        source="LMSYS Chatbot Arena by way of arena-hard-auto, Apache-2.0; ties were left out there. "
        "claude-3-opus wins every pair.",
        note="gpt-4-0613 and mistral-large tie at 594 votes each.",
        smith=("claude-3-opus-20240229",),
    ),
)

_MATRIX = (
    matrix_entry(
        "matching_pennies",
        "matching pennies",
        partial(tables.zero_sum, [[1, -1], [-1, 1]], "heads tails", "heads tails"),
        "1/2 1/2",
        "1/2 1/2",
        "0",
        source="Folklore.",
    ),
    matrix_entry(
        "pennies_with_pass",
        "matching pennies in which the column player may pass",
        partial(tables.zero_sum, [[1, -1, 0], [-1, 1, 0]], "heads tails", "heads tails pass"),
        "1/2 1/2",
        "1/3 1/3 1/3",
        "0",
        source="The column player may use (t, t, 1 - 2t) for any t up to 1/2; entropy is largest at 1/3.",
        dimension=(0, 1),
    ),
    matrix_entry(
        "two_by_two",
        "two rows, two columns, an answer off the centre",
        partial(tables.zero_sum, [[3, -1], [-1, 1]]),
        "1/3 2/3",
        "1/3 2/3",
        "1/3",
        source="Each player makes the other indifferent: 3p - (1 - p) = -p + (1 - p), so p = 1/3.",
    ),
    matrix_entry(
        "two_by_five",
        "two rows, five columns",
        partial(tables.zero_sum, [[2, 3, 1, 5, 4], [4, 1, 6, 0, 2]]),
        "5/7 2/7",
        "0 5/7 2/7 0 0",
        "17/7",
        source="T. S. Ferguson, Game Theory, part II, section 2.4, with a fifth column that the second "
        "dominates. The lower envelope of the columns peaks where 2p + 1 = 6 - 5p.",
    ),
    matrix_entry(
        "mixed_domination",
        "a row below the average of two others",
        partial(tables.zero_sum, [[3, 0], [0, 3], [1, 1]]),
        "1/2 1/2 0",
        "1/2 1/2",
        "3/2",
        source="The third row gets 1 against everything, the first two in equal parts 3/2.",
        note="No pure row dominates the third.",
    ),
    matrix_entry(
        "oneill",
        "O'Neill's card game",
        partial(
            tables.zero_sum,
            [[1, -1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1]],
            "joker ace two three",
            "joker ace two three",
        ),
        "2/5 1/5 1/5 1/5",
        "2/5 1/5 1/5 1/5",
        "-1/5",
        source="B. O'Neill, PNAS 84 (1987) 2106: the row player wins if both show the joker, or two "
        "different cards without a joker. Each reply to the policy wins with 2/5.",
    ),
)

ZOO = Zoo((*_CYCLES, *_ORDERED, *_NOT_UNIQUE, *_DICE, *_ELECTIONS, *_MATRIX))
