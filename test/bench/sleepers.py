#!/usr/bin/env python3
"""What test/bench/sleepers reckons: jobs, the schedules they are compared with, and what came of them.

	sleepers.py make DIR JOBS SEED		DIR/src/*.c, each with its time
	sleepers.py bounds DIR VOLUNTEERS SLOTS	the schedule of who knows every time, and two others, in seconds
	sleepers.py look DIR			objects that are there and right, where they were made, seconds slept
"""
import heapq
import os
import random
import re
import sys

LONGEST_MS, SHORTEST_MS, ALPHA = 20000, 500, 1.3


def slowness(volunteer):
    return 1 + volunteer % 4


def make(where, jobs, seed):
    rng = random.Random(seed)
    os.makedirs(where + '/src')
    for i in range(jobs):
        ms = min(LONGEST_MS, SHORTEST_MS * (1 - rng.random()) ** (-1 / ALPHA))
        with open(f'{where}/src/j{i:04}.c', 'w') as f:
            f.write(f'/* sleep_ms {ms:.0f} */\n')
    with open(where + '/Makefile', 'w') as f:
        f.write('objects := $(patsubst src/%.c,%.o,$(sort $(wildcard src/*.c)))\nall: $(objects)\n%.o: src/%.c\n\t@$(CC) -c $< -o $@\n')


def times(where):
    names = sorted(os.listdir(where + '/src'))
    return [int(re.search(r'sleep_ms (\d+)', open(f'{where}/src/{n}').read())[1]) / 1000 for n in names]


def clairvoyant(jobs, slots):
    """Jobs in their order, each where it ends first, even if that slot is busy now."""
    free_at = [0.0] * len(slots)
    for t in jobs:
        i = min(range(len(slots)), key=lambda k: free_at[k] + t * slots[k])
        free_at[i] += t * slots[i]
    return max(free_at)


def first_free(jobs, slots):
    """Jobs in their order, each at the fastest of the slots that are free, or that is free first."""
    idle, busy, now = [(s, i) for i, s in enumerate(slots)], [], 0.0
    heapq.heapify(idle)
    end = 0.0
    for t in jobs:
        while not idle or (busy and busy[0][0] <= now):
            now, s, i = heapq.heappop(busy)
            heapq.heappush(idle, (s, i))
        s, i = heapq.heappop(idle)
        heapq.heappush(busy, (now + t * s, s, i))
        end = max(end, now + t * s)
    return end


def bounds(where, volunteers, slots):
    jobs, all_slots = times(where), [slowness(v) for v in range(volunteers) for _ in range(slots)]
    lower = max(sum(jobs) / sum(1 / s for s in all_slots), max(jobs))
    print(f'{clairvoyant(jobs, all_slots):.1f} {first_free(jobs, all_slots):.1f} {lower:.1f}')


def look(where):
    right, slept, on = 0, 0, {}
    for i, t in enumerate(times(where)):
        try:
            said = open(f'{where}/j{i:04}.o').read()
        except FileNotFoundError:
            continue
        m = re.match(r'(\S*) (\d+)\nsleep_ms (\d+) ', said)
        if not m or int(m[3]) != round(t * 1000):
            continue
        right += 1
        slept += int(m[2])
        k = int(int(m[2]) / max(1, int(m[3])) + 0.5)
        on[k] = on.get(k, 0) + 1
    print(right, slept / 1000, '/'.join(str(on.get(k, 0)) for k in (1, 2, 3, 4)))


if __name__ == '__main__':
    what, where, *numbers = sys.argv[1:]
    globals()[what](where, *map(int, numbers))
