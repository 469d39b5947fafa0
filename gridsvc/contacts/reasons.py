"""Testing what keeps a stairwell from somebody: the reason is taken away and a block dealt again.

A reason is taken away for one pair of stairwell and member alone: this person may have this
stairwell after all, has room for it, need not be nearer. Nothing else can become cheaper by that,
so if any assignment then costs less than the best one before, the stairwell is that person's in
it: a cheaper one found among a few stairwells settles it for all, as far as the plan was best.
Where a person would be free for others too — who is away, who takes none — the stairwell must
also be among those the person would rather have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.contacts.dealing import BLOCK, Dealer
from gridsvc.contacts.neighbourhood import (
    EXCLUDED,
    OTHER_PINNED,
    TAKES_NONE,
    TOO_FAR,
    UNAVAILABLE,
    near_pairs,
    obstacles_of,
    price_pairs,
)
from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Ints

WhyNot = Literal[
    "excluded",
    "unavailable",
    "too_far",
    "takes_none",
    "full",
    "would_change",
    "pinned",
    "further",
    "lower_tier",
    "not_party",
    "none",
]

_BLOCKED: dict[int, WhyNot] = {
    EXCLUDED: "excluded",
    UNAVAILABLE: "unavailable",
    TAKES_NONE: "takes_none",
    TOO_FAR: "too_far",
    OTHER_PINNED: "pinned",
}
_RIVALS_TESTED = 6
_SECONDS_TESTED = 3
# Of each of the two members in a test.
_HELD_MOST = (BLOCK - 1) // 2

# An array, where in it, and what is there without the reason.
Edit = tuple[NDArray[Any], Any, Any]


@dataclass(frozen=True)
class Finding:
    """The pair a stairwell does not have, -1 for none, and why; see ``Explanation``."""

    pair: int
    why_not: WhyNot
    saved_without: int
    costlier_by: int | None


@dataclass(frozen=True)
class _Trial:
    """A reason, and the blocks to deal without it, the first of which says what is saved."""

    why_not: WhyNot
    checks: list[tuple[list[int], list[Edit]]]


class Judge:
    """An assignment with everybody near some stairwells, and the tests."""

    def __init__(
        self,
        problem: ContactProblem,
        solution: ContactSolution,
        asked: Ints,
        *,
        change_at_most: int | None,
    ) -> None:
        self.problem, self.policy = problem, solution.policy
        self.member = solution.member
        near = near_pairs(problem, asked, also=[self.member]) % max(problem.member_count, 1)
        involved = np.zeros(problem.member_count + 1, dtype=bool)
        involved[near] = True
        involved[NOBODY] = False
        around = np.union1d(asked, np.flatnonzero(involved[self.member]))
        code = near_pairs(problem, around, also=[self.member])
        self.pairs = pairs = price_pairs(problem, self.policy, code)
        self.obstacles = obstacles_of(problem, pairs)
        incumbent = problem.incumbent[pairs.grid]
        self.churn = self.policy.churn * ((incumbent >= 0) & (incumbent != pairs.member))
        is_unwanted = self.policy.party_first & ~problem.member_is_party[pairs.member]
        self.party = self.policy.not_party * is_unwanted
        usable = self.obstacles == 0
        if change_at_most is not None and solution.counts["replaced"] >= change_at_most:
            # No change is left in the budget: who could stay stays.
            keeps = (problem.incumbent >= 0) & (self.member == problem.incumbent)
            usable &= ~keeps[pairs.grid] | (pairs.member == incumbent)
        self.dealer = Dealer(problem, pairs, self.policy, member=self.member, usable=usable)
        self.by_member = np.argsort(pairs.member, kind="stable")
        self.member_first = np.searchsorted(
            pairs.member[self.by_member], np.arange(problem.member_count + 1)
        )

    def find(self, grid: int) -> Finding:
        """Find who else could have a stairwell, and the one reason why not."""
        if self.dealer.at[grid] < 0:
            return self._find_uncovered(grid)
        for pair in self._better_looking(grid):
            for trial in self._obstacle_trials(grid, pair):
                saved = self._saved(trial, pair)
                if saved > 0:
                    return self._found(grid, pair, trial.why_not, saved)
        seconds = self._seconds(grid)
        for pair in seconds:
            for trial in self._merit_trials(grid, pair):
                saved = self._saved(trial, pair)
                if saved > 0:
                    return self._found(grid, pair, trial.why_not, saved)
        return self._found(grid, seconds[0] if seconds else -1, "none", 0)

    def _find_uncovered(self, grid: int) -> Finding:
        """Find the nearest whom one thing alone forbids: nobody is allowed at all."""
        for pair in self._by_nature(grid):
            why_not = _BLOCKED.get(int(self.obstacles[pair]))
            if why_not is not None:
                fee = 0 if why_not == "takes_none" else self._fee(grid, pair)
                saved = self.policy.uncovered - int(self.pairs.cost[pair]) - fee
                return Finding(pair, why_not, max(saved, 1), None)
        return Finding(-1, "none", 0, None)

    def _found(self, grid: int, pair: int, why_not: WhyNot, saved: int) -> Finding:
        is_allowed = pair >= 0 and self.obstacles[pair] in (0, OTHER_PINNED)
        is_choice = is_allowed and why_not != "pinned"
        return Finding(pair, why_not, saved, self._costlier_by(grid, pair) if is_choice else None)

    def _fee(self, grid: int, pair: int) -> int:
        """Return what overload a stairwell would bring to the member of a pair."""
        households = int(self.problem.grid_households[grid])
        member = int(self.pairs.member[pair])
        return self.dealer.fee(member, households=households, stairwells=1)

    def _by_nature(self, grid: int) -> list[int]:
        """Return the pairs of a stairwell, cheapest first, were a change free."""
        begin, end = self.pairs.first[grid], self.pairs.first[grid + 1]
        nature = self.pairs.cost[begin:end] - self.churn[begin:end]
        pairs: list[int] = (begin + np.argsort(nature, kind="stable")).tolist()
        return pairs

    def _worth(self, grid: int) -> int:
        """Return what the stairwell costs with its contact, overload included, churn not."""
        pair = int(self.dealer.at[grid])
        relief = self.dealer.fee(
            int(self.pairs.member[pair]),
            households=-int(self.problem.grid_households[grid]),
            stairwells=-1,
        )
        return int(self.pairs.cost[pair] - self.churn[pair]) - relief

    def _better_looking(self, grid: int) -> list[int]:
        """Return the pairs that, were nothing in the way, cost less than the stairwell does now."""
        present, worth = int(self.dealer.at[grid]), self._worth(grid)
        pairs = [
            pair
            for pair in self._by_nature(grid)
            if pair != present
            and self.pairs.cost[pair] - self.churn[pair] < worth
            and int(self.obstacles[pair]) in {0, *_BLOCKED}
        ]
        return pairs[:_RIVALS_TESTED]

    def _seconds(self, grid: int) -> list[int]:
        """Return the allowed pairs that cost least at the present loads, the present one not."""
        present = int(self.dealer.at[grid])
        asked = {
            pair: int(self.pairs.cost[pair]) + self._fee(grid, pair)
            for pair in range(int(self.pairs.first[grid]), int(self.pairs.first[grid + 1]))
            if pair != present and self.obstacles[pair] in (0, OTHER_PINNED)
        }
        return sorted(asked, key=lambda pair: (asked[pair], pair))[:_SECONDS_TESTED]

    def _obstacle_trials(self, grid: int, pair: int) -> Iterator[_Trial]:
        """Yield what may stand between a stairwell and a better-looking member."""
        dealer, bits = self.dealer, int(self.obstacles[pair])
        member = int(self.pairs.member[pair])
        block = self._block(grid, member)
        allowed: list[Edit] = [(dealer.usable, pair, True)]
        if bits in (EXCLUDED, TOO_FAR, OTHER_PINNED):
            yield _Trial(_BLOCKED[bits], [(block, allowed)])
        elif bits in (UNAVAILABLE, TAKES_NONE):
            theirs = self._pairs_of(member)
            theirs = theirs[self.obstacles[theirs] == bits]
            room = self._with_room(grid, member) if bits == TAKES_NONE else []
            wide = self._block_of_newcomer(grid, theirs)
            free: list[Edit] = [(dealer.usable, theirs, True)]
            yield _Trial(_BLOCKED[bits], [(block, allowed + room), (wide, free + room)])
        else:
            yield from self._change_trial(grid, pair, block)
            if self._fee(grid, pair) > 0:
                yield _Trial("full", [(block, self._with_room(grid, member))])

    def _with_room(self, grid: int, member: int) -> list[Edit]:
        """Give a member room for a stairwell beside those held now."""
        dealer = self.dealer
        need = int(dealer.load[member] + self.problem.grid_households[grid])
        more = int(dealer.count[member]) + 1
        return [
            (dealer.room, member, max(int(dealer.room[member]), need)),
            (dealer.most, member, max(int(dealer.most[member]), more)),
        ]

    def _change_trial(self, grid: int, pair: int, block: list[int]) -> Iterator[_Trial]:
        """Yield the trial of a change that is free, where today's contact has been kept."""
        present = int(self.dealer.at[grid])
        if self.pairs.member[present] == self.problem.incumbent[grid]:
            free = self.pairs.cost[pair] - self.churn[pair]
            edits: list[Edit] = [(self.dealer.cost, pair, free)]
            edits.append((self.dealer.usable, pair, self.obstacles[pair] == 0))
            yield _Trial("would_change", [(block, edits)])

    def _merit_trials(self, grid: int, pair: int) -> Iterator[_Trial]:
        """Yield in what the second choice is worse, and the trial of being no worse in it.

        One unit less than no worse, so that it is no tie.
        """
        pairs, present = self.pairs, int(self.dealer.at[grid])
        block = self._block(grid, int(pairs.member[pair]))
        if self.party[pair] > self.party[present]:
            without = pairs.cost[pair] - self.party[pair] - 1
            yield _Trial("not_party", [(block, [(self.dealer.cost, pair, without)])])
        fixed = self.party[pair] + self.churn[pair]
        place = pairs.cost[present] - self.party[present] - self.churn[present]
        if pairs.cost[pair] - fixed >= place:
            why_not: WhyNot = "further" if pairs.tier[pair] == pairs.tier[present] else "lower_tier"
            yield _Trial(why_not, [(block, [(self.dealer.cost, pair, place - 1 + fixed)])])
        yield from self._change_trial(grid, pair, block)

    def _block(self, grid: int, member: int) -> list[int]:
        """Return a stairwell and those that its contact and another member hold."""
        contact = int(self.member[grid])
        theirs = [other for other in self.dealer.held(member) if other != grid]
        own = [other for other in self.dealer.held(contact) if other != grid]
        return [grid, *theirs[:_HELD_MOST], *own[:_HELD_MOST]]

    def _block_of_newcomer(self, grid: int, theirs: Ints) -> list[int]:
        """Return a stairwell and those that gain most from a member who has none yet."""
        theirs = theirs[self.dealer.at[self.pairs.grid[theirs]] >= 0]
        gains = {
            int(self.pairs.grid[pair]): int(self.pairs.cost[pair] - self.churn[pair])
            - self._worth(int(self.pairs.grid[pair]))
            for pair in theirs.tolist()
        }
        gains.pop(grid, None)
        gainers = sorted(gains, key=lambda other: (gains[other], other))[: BLOCK // 2]
        own = [other for other in self.dealer.held(int(self.member[grid])) if other not in gainers]
        return [grid, *gainers, *(other for other in own[: _HELD_MOST - 1] if other != grid)]

    def _pairs_of(self, member: int) -> Ints:
        rows: Ints = self.by_member[self.member_first[member] : self.member_first[member + 1]]
        return rows

    def _saved(self, trial: _Trial, pair: int) -> int:
        """Return what the absence of a reason saves; 0 where a check fails."""
        saved = [self._saved_in(block, edits, pair) for block, edits in trial.checks[:1]]
        if saved[0] > 0:
            saved += [self._saved_in(block, edits, pair) for block, edits in trial.checks[1:]]
        return saved[0] if min(saved) > 0 else 0

    def _saved_in(self, block: list[int], edits: list[Edit], pair: int) -> int:
        """Deal a block with and without a reason; return what its absence saves.

        Returns
        -------
        int
            0 where the first stairwell of the block does not go to ``pair`` without the reason, or
            leaves its contact with it, or the search was cut short.
        """
        under = self.dealer.deal(block)
        before = [(array, where, np.copy(array[where])) for array, where, _ in edits]
        for array, where, value in edits:
            array[where] = value
        without = self.dealer.deal(block)
        for array, where, value in before:
            array[where] = value
        if not (under.is_best and without.is_best):
            return 0
        if under.pair[0] != self.dealer.at[block[0]] or without.pair[0] != pair:
            return 0
        return without.saved - under.saved

    def _costlier_by(self, grid: int, pair: int) -> int:
        """Return what it costs more to give a stairwell to a pair, the rest of a block at best."""
        dealer = self.dealer
        present, member = int(dealer.at[grid]), int(self.pairs.member[pair])
        more = int(self.pairs.cost[pair] - self.churn[present]) - self._worth(grid)
        more += self._fee(grid, pair)
        block = self._block(grid, member)
        dealer.put([grid], np.array([pair]))
        more -= dealer.deal(block[1:]).saved
        dealer.put([grid], np.array([present]))
        return more
