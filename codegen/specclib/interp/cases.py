"""Messages worth trying: every edge of every shape, and what must be refused, by class of mistake."""

from collections import deque

from .. import model as m
from ..shapes import TOLERATED
from .conditions import parts
from .sample import Samples, pattern
from .vary import LENGTH, LIMIT, RULE, UNKNOWN, Vary, attribute_lists
from .write import Writer

EDGE = "ShapeEdge"
DROPPED = "RequiredDropped"
DOUBLED = "SingleDoubled"
MOVED = "PinnedMoved"
FOREIGN = "ForeignInserted"
CUT = "Truncated"
PADDING = "Padding"
ROLE = "RoleRule"

NOTES = {
	EDGE: "a sequence of payloads that takes an edge of the shape which no sequence before it took",
	DROPPED: "one payload is left out",
	DOUBLED: "one payload stands twice",
	MOVED: "a payload that has a fixed place stands elsewhere",
	FOREIGN: "a payload that the message does not have",
	CUT: "the message ends early; the length in its header agrees",
	PADDING: "octets behind the last payload",
	ROLE: "a rule of the message, or of the role that a payload has in it",
	"FieldBound": "a value at, below or above a bound of its field",
	LENGTH: "a length that is not that of the octets",
	"WrongCount": "a count that is not the number of things",
	UNKNOWN: "a number without a meaning",
	"ReservedSet": "octets that are to be zero are not: this is observed, not refused",
	RULE: "fields of one payload against each other",
	LIMIT: "as many of something as are looked at, and one more",
	"Attribute": "each attribute in each form",
	"Header": "the header of a message",
}

CUTS = 24		# places at which one message is cut, at most


class Case:
	"""A message, and what is known of its verdict by the way it was made (None = nothing)."""

	def __init__(self, comment, flag, data, variants=(), valid=None):
		self.comment, self.flag, self.data, self.variants, self.valid = comment, flag, data, variants, valid


class Cases:
	def __init__(self, model):
		self.model = model
		self.writer = Writer(model)
		self.samples = Samples(model)
		self.limits = {name: l.value for name, l in model.limits.items()}
		self.vary = Vary(self.samples, self.writer, self.limits)

	def message(self, message, payloads, trailing=b"", **header):
		return self.writer.message({**self.samples.header(message), **header}, payloads, trailing)

	def of(self, message):
		"""All cases of a message."""
		for shape in message.shapes:
			yield from self.edges(message, shape)
			yield from self.wrong_shapes(message, shape)
			yield from self.cuts(message, shape)
		yield from self.ends(message)
		yield from self.chains(message)
		yield from self.fields(message)
		yield from self.rules(message)

	# ---- shapes

	def edges(self, message, shape):
		for names in cover(shape.dfa):
			yield Case(" ".join(names) or "no payload", EDGE,
				self.message(message, self.samples.payloads(message, shape, names)), shape.variants, True)

	def wrong_shapes(self, message, shape):
		full = [slot.name for slot, _, _ in shape.elements]
		least = [slot.name for slot, repeat, optional in shape.elements if not optional and repeat != "*"]
		for names in (least, full) if least != full else (least,):
			made = self.samples.payloads(message, shape, names)
			yield from self.rearranged(message, shape, names, made)
		yield from self.foreign(message, shape, least)

	def rearranged(self, message, shape, names, made):
		needed = {slot.name for slot, repeat, optional in shape.elements if not optional and repeat != "*"}
		for i, name in enumerate(names):
			yield Case("%s without %s" % (" ".join(names), name), DROPPED,
				self.message(message, made[:i] + made[i + 1:]), shape.variants,
				False if name in needed and names.count(name) == 1 and self.alone(message, name) else None)
			yield Case("%s with %s twice" % (" ".join(names), name), DOUBLED,
				self.message(message, made[:i + 1] + made[i:]), shape.variants,
				False if self.single(message, shape, name) else None)
		pinned = len(shape.decl.shape.groups[0]) if len(shape.decl.shape.groups) > 1 or shape.decl.shape.rest else 0
		for i in range(pinned if len(names) > 1 else 0):
			yield Case("%s behind the others" % names[i], MOVED,
				self.message(message, made[:i] + made[i + 1:] + [made[i]]), shape.variants, False)
		if len(made) > 1:
			yield Case("the payloads in the opposite order", MOVED, self.message(message, made[::-1]), shape.variants)

	@staticmethod
	def alone(message, name):
		"""Is it the only slot of its payload type?"""
		slot = message.slot(name)
		return sum(s.payload is slot.payload for s in message.slots) == 1

	def single(self, message, shape, name):
		slot = message.slot(name)
		return not slot.repeated and self.alone(message, name) \
			and slot.payload not in message.messages.tolerated \
			and all(repeat == "" for s, repeat, _ in shape.elements if s is slot)

	def foreign(self, message, shape, least):
		made = self.samples.payloads(message, shape, least)
		for struct in self.model.payloads.values():
			if struct.nested or struct.name in shape.dfa.classes:
				continue
			stranger = struct, self.samples.payload(struct)
			for i in dict.fromkeys((0, 1, len(made))):
				yield Case("%s at place %d" % (struct.name, i + 1), FOREIGN,
					self.message(message, made[:i] + [stranger] + made[i:]), shape.variants)
		for struct in message.messages.tolerated:
			other = struct, self.samples.payload(struct)
			for i in range(len(made) + 1):
				yield Case("%s at place %d" % (struct.name, i + 1), FOREIGN,
					self.message(message, made[:i] + [other] + made[i:]), shape.variants)

	# ---- the frame

	def cuts(self, message, shape):
		names = [slot.name for slot, _, _ in shape.elements]
		data = self.message(message, self.samples.payloads(message, shape, names))
		head = len(self.message(message, []))
		places = range(head, len(data))
		stride = len(places) // CUTS + 1
		for n in places[::stride]:
			yield Case("cut to %d of %d octets" % (n, len(data)), CUT,
				data[:head - 4] + n.to_bytes(4, "big") + data[head:n], shape.variants)

	def ends(self, message):
		shape = message.shapes[0]
		made = self.samples.payloads(message, shape, [s.name for s, _, _ in shape.elements])
		most = self.limits.get("padding_octets", 0)
		for n in dict.fromkeys((1, most, most + 1)):
			yield Case("%d octets behind the last payload" % n, PADDING,
				self.message(message, made, pattern(n)), shape.variants)
		self_repeating = [s for s in shape.dfa.classes if s in {p.name for p in message.messages.tolerated}] \
			or [s.payload.name for s in message.slots if s.repeated]
		for name in self_repeating[:1]:
			struct = self.model.payloads[name]
			more = struct, self.samples.payload(struct)
			for n in (self.limits["payloads_per_message"], self.limits["payloads_per_message"] + 1):
				yield Case("%d payloads" % n, LIMIT,
					self.message(message, made + [more] * (n - len(made))), shape.variants)

	def chains(self, message):
		"""Types that no payload may have, at each place."""
		shape = message.shapes[0]
		made = self.samples.payloads(message, shape, [s.name for s, _, _ in shape.elements])
		registry = self.model.registries[m.PAYLOADS]
		odd = [p.number for p in self.model.payloads.values() if p.nested]
		odd += [next(e.lo for e in registry.entries if e.kind == kind) for kind in ("reserved", "private")] + [255]
		for v in [0] + odd:
			yield Case("the first payload is said to be of type %d" % v, UNKNOWN,
				self.message(message, made, np=v), shape.variants, False)
		for i, (struct, values) in enumerate(made):
			for v in odd:
				changed = made[:i] + [(struct, {**values, "np": v})] + made[i + 1:]
				yield Case("%s announces type %d" % (struct.name, v), UNKNOWN,
					self.message(message, changed), shape.variants, False)

	# ---- fields

	def fields(self, message):
		"""Each payload of the message, once for each rule of a role, in the shortest message that has it."""
		done = set()
		for shape in message.shapes:
			for name in [s.name for s, _, _ in shape.elements] + [p.name for p in message.messages.tolerated]:
				slot = message.slot(name)
				kind = (slot.payload.name, slot.role and id(slot.role.where)) if slot else name
				if kind in done:
					continue
				done.add(kind)
				names, i = shortest(shape.dfa, name)
				made = self.samples.payloads(message, shape, names)
				struct, values = made[i]
				for text, flag, changed in self.vary.payload(struct, values):
					yield Case("%s: %s" % (name, text), flag,
						self.message(message, made[:i] + [(struct, changed)] + made[i + 1:]), shape.variants)

	# ---- rules of roles and messages

	def rules(self, message):
		for shape in message.shapes:
			for slot, _, _ in shape.elements:
				if slot.role is not None and slot.role.where is not None:
					yield from self.role(message, shape, slot)
			for part in parts(shape.where) if shape.where is not None else ():
				if any(isinstance(s, m.Each) for s in (part.left, part.right)):
					yield from self.each(message, shape, part)

	def role(self, message, shape, slot):
		names, i = shortest(shape.dfa, slot.name)
		made = self.samples.payloads(message, shape, names)
		for part in parts(slot.role.where):
			if not isinstance(part, m.In):
				continue
			tuples = isinstance(part.left, list)
			fields = [x.field for x in (part.left if tuples else [part.left])]
			choices = [[c.value for c in (choice if tuples else [choice])] for choice in part.choices]
			for values in near(fields, choices):
				given = dict(zip((f.name for f in fields), values))
				changed = slot.payload, {**self.samples.payload(slot.payload, given), **given}
				yield Case("%s with %s" % (slot.name, ", ".join("%s %d" % (f.name, v)
					for f, v in zip(fields, values))), ROLE,
					self.message(message, made[:i] + [changed] + made[i + 1:]), shape.variants)

	def each(self, message, shape, part):
		"""With the attribute in all, in some and in none of the transforms."""
		each = next(s for s in (part.left, part.right) if isinstance(s, m.Each))
		names = [s.name for s, repeat, optional in shape.elements if not optional and repeat != "*"]
		protocol = self.samples.protocol(message)
		number = each.attribute[protocol].number
		with_it, without = self.transforms(message, shape, each, number)
		for text, items in (("every transform", [with_it, with_it]), ("one of two transforms", [with_it, without]),
				("no transform", [without, without])):
			made = self.samples.payloads(message, shape, names)
			made = [(s, self.replace(v, items)) if s.name == message.slot(each.slot).payload.name else (s, v)
				for s, v in made]
			yield Case("%s has %s" % (text, number_name(each, protocol)), ROLE, self.message(message, made), shape.variants)

	def transforms(self, message, shape, each, number):
		self.samples.with_all = set()
		struct = each.path[-1].element
		plain = self.samples.payload(struct, {}, {struct.params[0][0]: self.samples.protocol(message)})
		attrs = next(f.name for f in struct.fields if f.kind == "attributes")
		return {**plain, attrs: [(number | 0x8000).to_bytes(2, "big") + b"\0\x0e"] + plain[attrs]}, plain

	@staticmethod
	def replace(values, items):
		proposals = values["proposals"]
		return {**values, "proposals": [{**proposals[0], "transforms": items}] + proposals[1:]}

	# ---- other files

	def headers(self):
		"""(Message, cases) of the header: the first message of the first machine carries it."""
		machine = next(iter(self.model.machines.values()))
		message = machine.initiate.send
		shape = message.shapes[0]
		made = self.samples.payloads(message, shape, [s.name for s, _, _ in shape.elements])
		data = self.message(message, made)
		struct = self.model.structs["header"]
		values = {**self.samples.header(message), "length": len(data), "np": made[0][0].number}

		def cases():
			for n in list(range(len(self.message(message, [])) + 1)) + [len(data) - 1]:
				yield Case("%d octets of %d" % (n, len(data)), "Header", data[:n], (), False)
			yield Case("an octet behind the message", "Header", data + b"\0", (), False)
			for text, _, changed in self.vary.payload(struct, values):
				yield Case(text, "Header", self.message(message, made, **changed))
		return message, cases()

	def attributes(self):
		"""(protocol, Struct, parameter, cases) for each table: payloads that hold a list of attributes.  What
		takes one table only has neither protocol nor parameter."""
		fields = [(s, f) for s in self.model.payloads.values() for f in s.fields if f.kind == "attributes"]
		for struct, f in fields:
			if f.table is not None:
				yield None, struct, None, self.attribute_cases(struct, f, f.table, {})
		struct, f = next((s, f) for s, f in fields if f.table is None)
		for protocol, table in self.model.attributes_for.items():
			yield protocol, struct, f.selector, self.attribute_cases(struct, f, table, {f.selector: protocol})

	def attribute_cases(self, struct, f, table, params):
		plain = self.samples.payload(struct, {}, params)
		return [Case(text, "Attribute", self.writer.payload(struct, {**plain, f.name: items}))
			for text, items in attribute_lists(table, self.limits["attributes"])]


def near(fields, choices):
	"""Each choice, each with one item changed, and the numbers around."""
	for c in choices:
		yield c
	for i, f in enumerate(fields):
		for v in dict.fromkeys(c[i] + d for c in choices for d in (-1, 1)):
			if 0 <= v < 1 << f.bits:
				for c in choices:
					yield c[:i] + [v] + c[i + 1:]
	if len(fields) == 1 and fields[0].registry is not None:
		for e in fields[0].registry.entries:
			yield [e.lo]


def number_name(each, protocol):
	return each.attribute[protocol].name


# ---- walks through an automaton

def edge_name(dfa, state, c):
	slot = dfa.slot[state][c]
	return dfa.classes[c] if slot == TOLERATED else slot


def paths(dfa):
	"""Shortest edge lists: from the start to each state, and from each state to acceptance."""
	to, todo = {1: []}, deque([1])
	while todo:
		s = todo.popleft()
		for c, t in enumerate(dfa.next[s]):
			if t and t not in to:
				to[t] = to[s] + [(s, c)]
				todo.append(t)
	out = {s: [] for s in range(1, len(dfa.accept)) if dfa.accept[s]}
	grown = True
	while grown:
		grown = False
		for s in to:
			for c, t in enumerate(dfa.next[s]):
				if t in out and (s not in out or len(out[t]) + 1 < len(out[s])):
					out[s] = [(s, c)] + out[t]
					grown = True
	return to, out


def cover(dfa):
	"""Sequences of names that take every edge at least once, shortest first."""
	to, out = paths(dfa)
	taken, found = set(), []
	edges = [(s, c) for s in sorted(to, key=lambda s: len(to[s])) for c, t in enumerate(dfa.next[s]) if t]
	for s, c in edges:
		if (s, c) in taken:
			continue
		walk = to[s] + [(s, c)] + out[dfa.next[s][c]]
		taken.update(walk)
		found.append([edge_name(dfa, *e) for e in walk])
	return found


def shortest(dfa, name):
	"""(names, index of `name`) of the shortest sequence that has a slot or tolerated payload."""
	to, out = paths(dfa)
	best = min((to[s] + [(s, c)] + out[t] for s in to for c, t in enumerate(dfa.next[s])
		if t and edge_name(dfa, s, c) == name), key=len)
	names = [edge_name(dfa, *e) for e in best]
	return names, names.index(name)
