"""One member's best choice of jobs at given prices, exactly: the inner loop of the bound.

Each member is a knapsack with two soft limits. The dynamic programme runs over the number of jobs
and the load, both stopping at their limit: what goes beyond pays at once, so the last state stands
for all of them.

References
----------
S. Martello, P. Toth, Knapsack Problems, Wiley 1990, chapter 2 (dynamic programming over the load).
"""

import numba
import numpy as np
from numpy.typing import NDArray

from gridsvc.contacts.problem import Ints

Marks = NDArray[np.uint8]

_FEW = 16


@numba.njit(cache=True, nogil=True)
def take_best(  # noqa: C901 - one loop, compiled
    members: Ints,
    member_first: Ints,
    member_pair: Ints,
    load: Ints,
    profit: Ints,
    room: Ints,
    most: Ints,
    per_load: int,
    per_job: int,
    taken: Ints,
) -> int:
    """Choose the most profitable pairs of each of these members.

    Parameters
    ----------
    members
        Rows of the members to solve.
    profit
        Shape (e,), what each pair brings; only positive ones are taken.
    taken
        Shape (e,), set to 1 for the pairs taken, 0 for the others of these members.

    Returns
    -------
    int
        Profit less the price of all overload.
    """
    total = 0
    best = np.zeros(1, dtype=np.int64)
    kept = np.zeros(1, dtype=np.uint8)
    for j in members:
        start, stop = member_first[j], member_first[j + 1]
        items = np.empty(stop - start, dtype=np.int64)
        size, whole, brings = 0, 0, 0
        for at in range(start, stop):
            pair = member_pair[at]
            if profit[pair] > 0:
                items[size] = pair
                size += 1
                whole += load[pair]
                brings += profit[pair]
            else:
                taken[pair] = 0
        if size == 0:
            continue
        if whole <= room[j] and size <= most[j]:
            for i in range(size):
                taken[items[i]] = 1
            total += brings
            continue
        gained, size, space, number = _narrow(
            items[:size], load, profit, room[j], most[j], per_load, per_job, taken
        )
        total += gained
        if size == 0:
            continue
        whole = 0
        for i in range(size):
            whole += load[items[i]]
        width = min(space, whole) + 1
        counts = size > number
        layers = number + 1 if counts else 1
        cells = layers * width
        if len(best) < cells:
            best = np.zeros(cells, dtype=np.int64)
        best[:cells] = 0
        if len(kept) < cells * size:
            kept = np.zeros(2 * cells * size, dtype=np.uint8)
        kept[: cells * size] = 0
        source = np.zeros((size, layers), dtype=np.int64)
        for i in range(size):
            pair = items[i]
            _add_item(
                best,
                kept[i * cells : (i + 1) * cells],
                source[i],
                layers,
                width,
                load[pair],
                profit[pair],
                per_load,
                per_job if counts else 0,
                counts,
            )
        total += best[cells - 1]
        _walk_back(items[:size], kept, source, layers, width, load, taken)
    return total


@numba.njit(cache=True, nogil=True)
def _narrow(
    items: Ints,
    load: Ints,
    profit: Ints,
    room: int,
    most: int,
    per_load: int,
    per_job: int,
    taken: Ints,
) -> tuple[int, int, int, int]:
    """Decide the items that every, or no, best choice takes; move the others to the front.

    Prices of load and number give a bound on what can be gained; an item is decided where the
    bound with, or without, it is no better than a choice that is known.

    Returns
    -------
    tuple
        Gain of the items decided for, number of open items, room and number left for these.
    """
    size = len(items)
    price, toll = _limit_prices(items, load, profit, room, most, per_load, per_job)
    value = np.empty(size, dtype=np.int64)
    bound = price * room + toll * most
    for i in range(size):
        value[i] = profit[items[i]] - price * load[items[i]] - toll
        bound += max(value[i], 0)
    # Two known choices: the last one, and the best by value while each brings something.
    used, count, known = 0, 0, 0
    for i in range(size):
        if taken[items[i]]:
            used += load[items[i]]
            count += 1
            known += profit[items[i]]
    known -= per_load * max(used - room, 0) + per_job * max(count - most, 0)
    used, count, greedy = 0, 0, 0
    for i in np.argsort(-value):
        weight = load[items[i]]
        extra = per_load * (max(used + weight - room, 0) - max(used - room, 0))
        extra += per_job if count >= most else 0
        if profit[items[i]] > extra:
            greedy += profit[items[i]] - extra
            used += weight
            count += 1
    known = max(known, greedy)
    gained, left, space, number = 0, 0, room, most
    for i in range(size):
        pair = items[i]
        if value[i] < 0 and bound + value[i] < known:
            taken[pair] = 0
        elif value[i] > 0 and bound - value[i] < known:
            taken[pair] = 1
            gained += profit[pair]
            space -= load[pair]
            number -= 1
        else:
            taken[pair] = 0
            items[left] = pair
            left += 1
    gained -= per_load * max(-space, 0) + per_job * max(-number, 0)
    return gained, left, max(space, 0), max(number, 0)


@numba.njit(cache=True, nogil=True)
def _limit_prices(
    items: Ints, load: Ints, profit: Ints, room: int, most: int, per_load: int, per_job: int
) -> tuple[int, int]:
    """Return whole prices of load and number at which the divisible choice meets its limits."""
    size = len(items)
    value = np.empty(size, dtype=np.int64)
    low, high, toll = 0, per_load, 0
    dearest = 0
    for i in range(size):
        dearest = max(dearest, profit[items[i]])
    high = min(high, dearest)
    while low < high:
        price = (low + high) // 2
        toll = _toll(value, items, load, profit, most, per_job, price)
        used = 0
        for i in range(size):
            if value[i] > toll:
                used += load[items[i]]
        if used > room:
            low = price + 1
        else:
            high = price
    return low, _toll(value, items, load, profit, most, per_job, low)


@numba.njit(cache=True, nogil=True)
def _toll(
    value: Ints, items: Ints, load: Ints, profit: Ints, most: int, per_job: int, price: int
) -> int:
    """Fill ``value`` with what items bring at a price of load; return the price of a place."""
    size = len(items)
    for i in range(size):
        value[i] = profit[items[i]] - price * load[items[i]]
    if size <= most:
        return 0
    if most >= _FEW:
        first_out: int = np.partition(value, size - most - 1)[size - most - 1]
        return min(max(first_out, 0), per_job)
    # The values of those left out begin after the best few.
    top = np.full(most + 1, np.iinfo(np.int64).min)
    for i in range(size):
        if value[i] > top[most]:
            at = most
            while at > 0 and top[at - 1] < value[i]:
                top[at] = top[at - 1]
                at -= 1
            top[at] = value[i]
    left_out: int = top[most]
    return min(max(left_out, 0), per_job)


@numba.njit(cache=True, nogil=True)
def _add_item(
    best: Ints,
    kept: Marks,
    source: Ints,
    layers: int,
    width: int,
    weight: int,
    gain: int,
    per_load: int,
    fee: int,
    counts: bool,
) -> None:
    """Offer one more item to all states; ``kept`` notes 1 from a layer below, 2 from the same."""
    last = layers - 1
    if (not counts) or gain > fee:
        _offer(best, last, best, last, kept, source, width, weight, gain - fee, per_load, 2)
    for layer in range(last, 0, -1):
        _offer(best, layer, best, layer - 1, kept, source, width, weight, gain, per_load, 1)


@numba.njit(cache=True, nogil=True)
def _offer(
    best: Ints,
    to: int,
    origin: Ints,
    of: int,
    kept: Marks,
    source: Ints,
    width: int,
    weight: int,
    gain: int,
    per_load: int,
    mark: int,
) -> None:
    """Let states of layer ``of`` take the item into layer ``to``, where that is better."""
    full = width - 1
    base, under = to * width, of * width
    # Into the last state: exactly full, or beyond it at a price.
    lowest = max(full - weight, 0)
    over = lowest + weight - full
    at, top = -1, best[base + full]
    for used in range(lowest, full + 1):
        if per_load * over >= gain:
            break
        value = origin[under + used] + gain - per_load * over
        if value > top:
            top, at = value, used
        over += 1
    if to == of:
        for used in range(full - 1, weight - 1, -1):
            value = origin[under + used - weight] + gain
            if value > best[base + used]:
                best[base + used] = value
                kept[base + used] = mark
    elif weight < full:
        # Slices from zero: the compiler then takes several states at a time.
        goal, notes = best[base + weight : base + full], kept[base + weight : base + full]
        begin = origin[under : under + full - weight]
        for i in range(full - weight):
            value = begin[i] + gain
            notes[i] = mark if value > goal[i] else notes[i]
            goal[i] = max(value, goal[i])
    if at >= 0:
        best[base + full] = top
        kept[base + full] = mark
        source[to] = at


@numba.njit(cache=True, nogil=True)
def _walk_back(
    items: Ints, kept: Marks, source: Ints, layers: int, width: int, load: Ints, taken: Ints
) -> None:
    """Mark the items that lead to the last state."""
    layer, used, cells = layers - 1, width - 1, layers * width
    for i in range(len(items) - 1, -1, -1):
        mark = kept[i * cells + layer * width + used]
        if mark == 0:
            continue
        taken[items[i]] = 1
        used = source[i, layer] if used == width - 1 else used - load[items[i]]
        if mark == 1:
            layer -= 1


@numba.njit(cache=True, nogil=True)
def limit_prices(
    member_first: Ints,
    member_pair: Ints,
    load: Ints,
    profit: Ints,
    room: Ints,
    most: Ints,
    per_load: int,
    per_job: int,
) -> tuple[Ints, Ints]:
    """Return the price of load and of a place with each member, shape (m,) each.

    At these prices of their own the members' divisible choices meet their limits.
    """
    members = len(room)
    price, toll = np.zeros(members, dtype=np.int64), np.zeros(members, dtype=np.int64)
    for j in range(members):
        items = member_pair[member_first[j] : member_first[j + 1]]
        items = items[profit[items] > 0]
        whole = 0
        for pair in items:
            whole += load[pair]
        if whole > room[j] or len(items) > most[j]:
            price[j], toll[j] = _limit_prices(
                items, load, profit, room[j], most[j], per_load, per_job
            )
    return price, toll
