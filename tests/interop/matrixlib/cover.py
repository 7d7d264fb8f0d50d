"""Which cases are tried. All of it is deterministic: the same spec gives the same list.

pairwise: each two values of different axes meet in some case that can be, and each peer in each role meets each kernel, with and
without NAT-T.
whole: besides, each IKE suite meets each peer in each role, and each suite of ESP and AH each peer in each role, with each
kernel, in each mode, with and without NAT-T."""

from itertools import combinations, product

from .peers import why_not


def key(axis, value, other, value2):
	return (axis, value, other, value2) if axis < other else (other, value2, axis, value)


def pairs_of(case):
	return [key(a, case[a], b, case[b]) for a, b in combinations(sorted(case), 2)]


class Cover:
	def __init__(self, axes, rules):
		self.axes, self.rules = axes, rules
		self.open = {}
		for a, b in combinations(sorted(axes), 2):
			for v, w in product(axes[a], axes[b]):
				if why_not(rules, {a: v, b: w}) is None:
					self.open[(a, v, b, w)] = True
		self.turn = {axis: 0 for axis in axes}

	def gain(self, case, axis, value):
		return sum(key(axis, value, other, case[other]) in self.open for other in case)

	def complete(self, part):
		"""The case that has this part and meets most of what is open; None if there is none."""
		case = dict(part)
		if why_not(self.rules, case) is not None:
			return None
		for axis in sorted((a for a in self.axes if a not in case), key=lambda a: -len(self.axes[a])):
			values = self.axes[axis]
			at = self.turn[axis] % len(values)
			able = [v for v in values[at:] + values[:at] if why_not(self.rules, {**case, axis: v}) is None]
			if not able:
				return None
			best = max(able, key=lambda v: self.gain(case, axis, v))
			if self.gain(case, axis, best) == 0:
				self.turn[axis] += 1	# nothing to gain: all values in turn
			case[axis] = best
		for pair in pairs_of(case):
			self.open.pop(pair, None)
		return case

	def rest(self):
		"""Cases until no pair is open that can be met."""
		cases = []
		while self.open:
			a, v, b, w = next(iter(self.open))
			case = self.complete({a: v, b: w})
			if case is None:
				del self.open[(a, v, b, w)]
			else:
				cases.append(case)
		return cases


TOGETHER = ("peer", "role", "kernel", "natt")


def pairwise(axes, rules):
	cover = Cover(axes, rules)
	cases = [cover.complete(dict(zip(TOGETHER, values))) for values in product(*(axes[n] for n in TOGETHER))]
	return [case for case in cases if case is not None] + cover.rest()


def whole(axes, rules):
	"""(cases, [(part, reason)]): the parts are suites that cannot be tried with some peer."""
	cover, cases, refused, seen = Cover(axes, rules), [], [], set()
	# IKE suites and those of IPsec go hand in hand, the shorter list more than once.
	for peer, role in product(axes["peer"], axes["role"]):
		head = {"peer": peer, "role": role}
		lists = []
		for names in (("cipher", "hash", "group"), ("kernel", "mode", "natt", "esp", "mac")):
			able = []
			for values in product(*(axes[n] for n in names)):
				part = dict(zip(names, values))
				reason = why_not(rules, {**head, **part})
				if reason is None:
					able.append(part)
				elif why_not(rules, part) is None and (peer, values) not in seen:
					seen.add((peer, values))
					refused.append(({"peer": peer, **part}, reason))
			lists.append(able)
		ike, ipsec = lists
		for i in range(max(len(ike), len(ipsec))):
			case = cover.complete({**head, **ike[i % len(ike)], **ipsec[i % len(ipsec)]})
			if case is not None:
				cases.append(case)
	return cases + cover.rest(), refused
