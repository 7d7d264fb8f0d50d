"""Which payloads a message may have, decided on the shape as it is written, without the automaton.

A thread is one way to have read the payloads so far: the group, which of its items may still come, which
still must, and what is left of an adjacent sequence [A > B] that was begun."""

from collections import namedtuple

Thread = namedtuple("Thread", "group may must open")

TOLERATED = "."


class Matcher:
	"""One shape of a message.  Sets of threads are remembered, so that each is worked out once."""

	def __init__(self, message, shape):
		self.shape = shape
		written = shape.decl.shape
		self.groups = [tuple(g) for g in written.groups] + ([()] if written.rest else [])
		self.payload = {s.name: s.payload.name for s in message.slots}
		self.tolerated = {p.name for p in message.messages.tolerated}
		self.start = self.close([self.enter(0)])
		self.steps = {}

	def enter(self, group):
		items = range(len(self.groups[group]))
		must = [i for i in items if not self.groups[group][i].optional
			and self.groups[group][i].elements[0].repeat != "*"]
		return Thread(group, frozenset(items), frozenset(must), ())

	@staticmethod
	def passable(elements):
		return all(repeat == "*" for _, repeat in elements)

	def over(self, t):
		"""Nothing more of its group has to come."""
		return not t.must and self.passable(t.open)

	def close(self, threads):
		"""With the groups that may begin now."""
		found = set(threads)
		for t in list(found):
			while self.over(t) and t.group + 1 < len(self.groups):
				t = self.enter(t.group + 1)
				found.add(t)
		return frozenset(found)

	def within(self, t, elements):
		"""(slot, thread) of the payloads that may come next of an adjacent sequence."""
		for i, (name, repeat) in enumerate(elements):
			rest = elements[i + 1:]
			yield name, t._replace(open=((name, "*"),) + rest if repeat else rest)
			if repeat != "*":
				return

	def listed(self, t):
		yield from self.within(t, t.open)
		if not self.passable(t.open):
			return
		for i in t.may:
			item = self.groups[t.group][i]
			elements = tuple((e.name.text, e.repeat) for e in item.elements)
			if item.optional:
				yield from self.within(t._replace(may=t.may - {i}, open=()), elements)
			else:
				name, repeat = elements[0]
				yield name, Thread(t.group, t.may if repeat else t.may - {i}, t.must - {i}, ())

	def step(self, threads, payload):
		"""(slot or TOLERATED, threads) after one more payload, or None when it cannot stand there."""
		key = threads, payload
		if key not in self.steps:
			self.steps[key] = self.work_out(threads, payload)
		return self.steps[key]

	def work_out(self, threads, payload):
		found = [(slot, after) for t in threads for slot, after in self.listed(t)
			if self.payload[slot] == payload]
		if found:
			return found[0][0], self.close(after for _, after in found)
		if payload not in self.tolerated:
			return None
		last = len(self.groups) - 1
		past = [t._replace(open=()) for t in threads if t.group == last and self.passable(t.open)]
		return (TOLERATED, self.close(past)) if past else None

	def complete(self, threads):
		return any(t.group == len(self.groups) - 1 and self.over(t) for t in threads)

	def expected(self, threads):
		"""Slots that may come next, and whether the message may end."""
		return {slot for t in threads for slot, _ in self.listed(t)}, self.complete(threads)

	def walk(self, payloads):
		"""(slots of the payloads it takes, threads after them)."""
		threads, slots = self.start, []
		for p in payloads:
			after = self.step(threads, p)
			if after is None:
				break
			slots.append(after[0])
			threads = after[1]
		return slots, threads


def text_of(names, end):
	"""'A, B or C' as shape_match() writes what it expected."""
	names = list(names) + (["the end of the message"] if end else [])
	if len(names) < 2:
		return "".join(names)
	return ", ".join(names[:-1]) + " or " + names[-1]
