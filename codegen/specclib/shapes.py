"""Turns message shapes into deterministic automata over payload types, by subset construction.

A shape is groups in order, each of items in any order.  A position within it (a Config) is the group, how
far each of its items is, and which adjacent sequence is open.  Listed payloads win over tolerated ones;
tolerated ones are allowed wherever no pinned group (one with a '>' after it) is still to come or open, and
not inside an adjacent sequence."""

from collections import namedtuple

TOLERATED = "*tolerated*"

# open: None or (item, element, seen): elements before it are there, `seen` = at least one of this.
Config = namedtuple("Config", "group done open")

# slot: name, or TOLERATED; payload: its name
Edge = namedtuple("Edge", "slot payload")


class Ambiguous(Exception):
	def __init__(self, prefix, payload, candidates):
		super().__init__()
		self.prefix = prefix		# payload names that lead there
		self.payload = payload
		self.candidates = candidates	# [(slot name, ast.Element)]


class TooLarge(Exception):
	pass


class Dfa:
	"""classes: payload names; state 0 is dead, state 1 the start.  next[s][c], slot[s][c] (slot name,
	TOLERATED or None), accept[s]."""

	def __init__(self, classes, nexts, slots, accept):
		self.classes = classes
		self.next = nexts
		self.slot = slots
		self.accept = accept

	def run(self, payloads):
		"""The slots of a sequence of payload names, or None when it does not fit."""
		state, found = 1, []
		for p in payloads:
			if p not in self.classes:
				return None
			c = self.classes.index(p)
			if self.next[state][c] == 0:
				return None
			found.append(self.slot[state][c])
			state = self.next[state][c]
		return found if self.accept[state] else None

	def expected(self, state):
		"""Slot names that may come next, without tolerated ones."""
		return [s for s in dict.fromkeys(self.slot[state]) if s and s != TOLERATED]


class Builder:
	MAX_STATES = 250

	def __init__(self, shape, payload_of, tolerated):
		self.groups = [list(g) for g in shape.groups]
		if shape.rest:
			self.groups.append([])
		self.payload_of = payload_of	# slot name -> payload name
		self.tolerated = list(tolerated)

	# ---- positions

	def item_needed(self, item, done):
		if item.optional:
			return False
		repeat = item.elements[0].repeat
		return repeat in ("", "+") and not done

	def group_complete(self, config):
		if config.open is not None:
			item, element, seen = config.open
			elements = self.groups[config.group][item].elements
			if not (self.satisfied(elements[element], seen)
				and all(e.repeat == "*" for e in elements[element + 1:])):
				return False
		return not any(self.item_needed(item, i in config.done)
			for i, item in enumerate(self.groups[config.group]))

	@staticmethod
	def satisfied(element, seen):
		return seen or element.repeat == "*"

	def closure(self, configs):
		"""With every position that is reached without a payload: the groups after a complete one."""
		found, todo = set(), list(configs)
		while todo:
			c = todo.pop()
			if c in found:
				continue
			found.add(c)
			if c.group + 1 < len(self.groups) and self.group_complete(c):
				todo.append(Config(c.group + 1, frozenset(), None))
		return frozenset(found)

	# ---- steps

	def steps(self, config):
		"""(ast.Element, Config) of each listed payload that may come next."""
		items = self.groups[config.group]
		if config.open is not None:
			item, element, seen = config.open
			elements = items[item].elements
			for step in self.within(config, item, elements, element, seen):
				yield step
			if not (self.satisfied(elements[element], seen)
				and all(e.repeat == "*" for e in elements[element + 1:])):
				return
		for i, item in enumerate(items):
			if i in config.done and (item.optional or item.elements[0].repeat == ""):
				continue
			if item.optional:
				for step in self.within(config, i, item.elements, 0, False):
					yield step
			else:
				yield item.elements[0], Config(config.group, config.done | {i}, None)

	def within(self, config, i, elements, at, seen):
		"""Steps inside the adjacent sequence of item i, from its element `at`."""
		for k in range(at, len(elements)):
			here = elements[k]
			if k > at or not seen or here.repeat:
				done = config.done | {i}
				last = k == len(elements) - 1 and not here.repeat
				yield here, Config(config.group, done, None if last else (i, k, True))
			if not self.satisfied(here, seen and k == at):
				return

	def may_tolerate(self, config):
		return config.group == len(self.groups) - 1 and (config.open is None or self.at_end(config))

	def at_end(self, config):
		item, element, seen = config.open
		elements = self.groups[config.group][item].elements
		return self.satisfied(elements[element], seen) and all(
			e.repeat == "*" for e in elements[element + 1:])

	@staticmethod
	def leave(config):
		"""After a tolerated payload an open sequence cannot go on."""
		return config._replace(open=None)

	# ---- the automaton

	def build(self):
		"""Returns the minimal Dfa; raises Ambiguous or TooLarge."""
		names = [e.name.text for g in self.groups for item in g for e in item.elements]
		classes = list(dict.fromkeys([self.payload_of[n] for n in names] + self.tolerated))
		start = self.closure([Config(0, frozenset(), None)])
		numbers, order, prefixes = {start: 1}, [start], {start: ()}
		nexts, slots = [[0] * len(classes)], [[None] * len(classes)]
		at = 0
		while at < len(order):
			state = order[at]
			at += 1
			row, slot_row = [], []
			for payload in classes:
				slot, target = self.move(state, payload, prefixes[state])
				if target and target not in numbers:
					numbers[target] = len(order) + 1
					order.append(target)
					prefixes[target] = prefixes[state] + (payload,)
					if len(order) > 20 * self.MAX_STATES:
						raise TooLarge()
				row.append(numbers[target] if target else 0)
				slot_row.append(slot)
			nexts.append(row)
			slots.append(slot_row)
		accept = [False] + [any(c.group == len(self.groups) - 1 and self.group_complete(c) for c in s)
			for s in order]
		dfa = minimise(Dfa(classes, nexts, slots, accept))
		if len(dfa.accept) > self.MAX_STATES:
			raise TooLarge()
		return dfa

	def move(self, state, payload, prefix):
		listed, targets = {}, set()
		for config in state:
			for element, target in self.steps(config):
				if self.payload_of[element.name.text] == payload:
					listed.setdefault(element.name.text, element)
					targets.add(target)
		if len(listed) > 1:
			raise Ambiguous(prefix, payload, sorted(listed.items(), key=lambda c: c[1].name.loc.col))
		if listed:
			return next(iter(listed)), self.closure(targets)
		if payload in self.tolerated:
			targets = {self.leave(c) for c in state if self.may_tolerate(c)}
			if targets:
				return TOLERATED, self.closure(targets)
		return None, None


def minimise(dfa):
	"""Merges states that cannot be told apart (Moore), keeping 0 dead and 1 the start."""
	n = len(dfa.accept)
	part = [0] + [1 + int(a) for a in dfa.accept[1:]]
	while True:
		keys = [(part[s], tuple(part[t] for t in dfa.next[s]), tuple(map(str, dfa.slot[s])))
			for s in range(n)]
		numbers = {}
		new = [numbers.setdefault(k, len(numbers)) for k in keys]
		if len(numbers) == len(set(part)):
			break
		part = new
	first = {}
	for s in range(n):
		first.setdefault(part[s], s)
	kept = sorted(first.values())
	index = {part[s]: i for i, s in enumerate(kept)}
	return Dfa(dfa.classes, [[index[part[t]] for t in dfa.next[s]] for s in kept],
		[dfa.slot[s] for s in kept], [dfa.accept[s] for s in kept])


def build(shape, payload_of, tolerated):
	return Builder(shape, payload_of, tolerated).build()
