"""Variations of a payload: for each field the values below, at and above each bound, lengths off by one,
numbers without a meaning, reserved octets that are set."""

from .. import model as m
from .conditions import parts
from .sample import pattern
from .write import tlv, tv

# Flags of the vectors and what they mean.
BOUND = "FieldBound"
LENGTH = "WrongLength"
COUNT = "WrongCount"
UNKNOWN = "UnknownNumber"
RESERVED = "ReservedSet"
RULE = "FieldsDisagree"
LIMIT = "Limit"
ATTRIBUTE = "Attribute"


def within(f, numbers):
	"""Those that fit the field, each once, in order of first mention."""
	return [v for v in dict.fromkeys(numbers) if 0 <= v < 1 << f.bits]


class Vary:
	def __init__(self, samples, writer, limits):
		self.samples, self.writer, self.limits = samples, writer, limits

	def payload(self, struct, values, params=None):
		"""(comment, flag, values) of each variation."""
		params = params or {}
		for f in struct.fields:
			name = "%s.%s" % (struct.name, f.name)
			for text, flag, changed in self.field(struct, f, values, params):
				yield "%s %s" % (name, text), flag, changed
			if f.kind == "structs":
				yield from self.inside(f, values)
		for r in struct.requires:
			yield from self.require(struct, r, params)
		if not struct.fields[-1].takes_rest and struct.base is not None:
			yield "an octet behind %s" % struct.name, LENGTH, {**values, "": b"\0"}

	def field(self, struct, f, values, params):
		if f.kind == "uint":
			for flag, v in self.numbers(struct, f, values, params):
				yield "is %d" % v, flag, {**values, f.name: v}
			yield from self.sizes(struct, f, values)
		elif f.kind == "zero":
			for v in (b"\1" + bytes(f.min - 1), b"\xff" * f.min):
				yield "is %s" % v.hex(), RESERVED, {**values, f.name: v}
		elif f.kind == "bytes" and f.constraint == "nonzero":
			yield "is zero", BOUND, {**values, f.name: bytes(f.min)}
		elif f.kind == "bytes" and not f.fixed and f.length_field is None:
			top = [f.max, f.max + 1] if f.max is not None else [f.min + 1]
			for n in dict.fromkeys([max(f.min - 1, 0), f.min] + top):
				yield "of %d octets" % n, BOUND, {**values, f.name: pattern(n)}
		elif f.kind == "slices":
			one = values[f.name][0]
			for n in dict.fromkeys((max(f.min - 1, 0), f.min, f.min + 1)):
				yield "%d of them" % n, COUNT, {**values, f.name: [one] * n, f.slice_size: len(one)}
			yield "and one octet more", LENGTH, {**values, "": b"\1"}
		elif f.kind == "structs":
			yield from self.lists(f, values)

	# ---- numbers

	def numbers(self, struct, f, values, params):
		"""(flag, value) worth trying in a field by itself."""
		top = (1 << f.bits) - 1
		if f.constraint == "const" or f.constraint == "oneof":
			found = [(BOUND, v) for c in f.values for v in (c - 1, c, c + 1)] + [(BOUND, 0), (BOUND, top)]
		elif f.constraint == "bits":
			mask = f.values[0]
			found = [(UNKNOWN, v) for v in (0, mask | 1 << f.bits - 1, mask << 1, top)]
		elif f.constraint == "range":
			lo, hi = f.values
			found = [(BOUND, v) for v in (lo - 1, lo, hi, hi + 1, top)] if not f.sizes else []
		elif f.constraint in ("size_self", "size_message"):
			true = self.size(struct, f, values)
			head = sum(x.bits for x in struct.fields if x.inherited and x.kind == "uint") // 8 + 1
			found = [(LENGTH, v) for v in (0, 1, head - 1, head, true - 1, true + 1, top)]
		elif f.counts is not None:
			n, limit = len(values[f.counts]), self.limits.get(f.counts)
			found = [(COUNT, v) for v in (0, n - 1, n + 1, top)] + ([(COUNT, limit), (COUNT, limit + 1)] if limit else [])
		elif f.chain:
			found = [(UNKNOWN, v) for v in self.chain_numbers(struct, f)]
		else:
			found = self.known(f, params, values)
		kept = within(f, [v for _, v in found])
		flags = {v: flag for flag, v in reversed(found)}
		return [(flags[v], v) for v in kept]

	def size(self, struct, f, values):
		if f.constraint == "size_self":
			return len(self.writer.payload(struct, values))
		return values[f.name]

	@staticmethod
	def chain_numbers(struct, f):
		if struct.nested:
			return [0, struct.number, struct.number + 1, (1 << f.bits) - 1]
		return []	# Cases tries them at each place of a message

	def known(self, f, params, values):
		registry = f.registry
		if f.switch is not None:
			registry = f.switch.branches.get(params.get(f.selector, values.get(f.selector)))
		if registry is not None:
			named = [e.lo for e in registry.entries if e.kind == "named"]
			others = [e for e in registry.entries if e.kind != "named"]
			odd = [v for kind in ("reserved", "private") for e in others if e.kind == kind for v in (e.lo, e.hi)]
			return [(BOUND, v) for v in named[:4] + named[-1:]] + [(UNKNOWN, v) for v in odd[:3] + odd[-2:]]
		if f.bitset is not None:
			bits = [e.bit for e in f.bitset.entries]
			return [(BOUND, 1 << b) for b in bits] + [(UNKNOWN, 1 << max(bits) + 1), (UNKNOWN, (1 << f.bits) - 1)]
		return [(BOUND, 0), (BOUND, (1 << f.bits) - 1)] if not f.sizes else []

	def sizes(self, struct, f, values):
		"""A field that says how long another one is: it alone, and both together."""
		for name in f.sizes:
			sized = struct.field(name)
			v = values[name]
			n = len(v[0]) if sized.kind == "slices" else len(v)
			for k in within(f, (0, n - 1, n + 1, (1 << f.bits) - 1)):
				yield "is %d, its data are not" % k, LENGTH, {**values, f.name: k}
			bounds = f.values if f.constraint == "range" else (0, 16)
			for k in within(f, (bounds[0] - 1, bounds[0], n - 1, n, n + 1, bounds[1], bounds[1] + 1)):
				data = [pattern(k)] * max(len(v), 1) if sized.kind == "slices" else pattern(k)
				yield "is %d, its data too" % k, BOUND, {**values, f.name: k, name: data}

	# ---- lists

	def lists(self, f, values):
		items, limit = values[f.name], self.limits.get(f.name)
		for n in dict.fromkeys([0, 1, 2] + ([limit, limit + 1] if limit else [])):
			if n != len(items):
				yield "%d of them" % n, LIMIT if n > 2 else COUNT, {**values, f.name: [items[0]] * n}

	def inside(self, f, values):
		items = values[f.name]
		params = {}
		if f.selector is not None:
			params[f.element.params[0][0]] = values.get(f.selector)
		for text, flag, changed in self.payload(f.element, items[0], params):
			yield text, flag, {**values, f.name: [changed] + items[1:]}
		if f.element.nested:
			more = [items[0], {**items[0], "np": 0}]
			yield "%s.np is 0 but another follows" % f.element.name, LENGTH, {**values, f.name: more + items[1:]}

	# ---- rules

	def require(self, struct, r, params):
		for field, v in conditions_met(r.cond):
			if field.constraint in ("const", "bits"):
				continue
			good = self.samples.payload(struct, {field.name: v}, params)
			yield "%s.%s is %d" % (struct.name, field.name, v), RULE, good
			for part in parts(r.then):
				yield from self.around(struct, field, v, part, good)

	@staticmethod
	def around(struct, field, v, part, good):
		wants = [c.value for c in part.choices] if isinstance(part, m.In) else [part.right.value]
		f = part.left.field
		for want in dict.fromkeys(w + d for w in wants for d in (-1, 0, 1) if w + d >= 0):
			changed = dict(good)
			if isinstance(part.left, m.Len):
				changed[f.name] = pattern(want)
			elif f.sizes:
				sized = struct.field(f.sizes[0])
				changed[sized.name] = [pattern(want)] if sized.kind == "slices" else pattern(want)
				changed[f.name] = want
			else:
				changed[f.name] = want
			yield "%s.%s is %d, %s is %d" % (struct.name, field.name, v, f.name, want), RULE, changed


def conditions_met(e):
	"""(Field, value) pairs that make a simple condition true."""
	if isinstance(e, m.Compare) and e.op == "==" and isinstance(e.left, m.FieldRef):
		return [(e.left.field, e.right.value)]
	if isinstance(e, m.In) and isinstance(e.left, m.FieldRef):
		return [(e.left.field, c.value) for c in e.choices]
	return []


def attribute_lists(table, limit):
	"""(comment, list of attributes) that try each attribute in every form."""
	unit = {e.name: e.number for e in table.entries}
	for e in table.entries:
		before = [tv(unit[e.after], 1)] if e.after else []
		for v in dict.fromkeys((0, 1, 65535) + values_of(e)):
			yield "%s as TV, value %d" % (e.name, v), before + [tv(e.number, v)]
		for n in dict.fromkeys([0, 1, 2, 4, 8, 9] + [e.min] + ([e.max, e.max + 1] if e.max else [])
				+ ([2 * e.step, 2 * e.step + 1] if e.step > 1 else [])):
			yield "%s as TLV of %d octets" % (e.name, n), before + [tlv(e.number, pattern(n))]
		one = tv(e.number, 1) if e.basic or e.kind == "uint" else tlv(e.number, pattern(e.step if e.step > 1 else max(e.min, 4)))
		yield "%s twice" % e.name, before + [one] + before + [one]
		again = [tv(unit[e.after], 2)] if e.after else []
		yield "%s twice, different" % e.name, before + [one] + again + [tv(e.number, 2)]
		if e.name in {x.after for x in table.entries}:
			for v in (100, 65001):
				yield "%s %d twice" % (e.name, v), [tv(e.number, v), tv(e.number, v)]
		if e.after:
			yield "%s without %s" % (e.name, e.after), [one]
			yield "%s behind another attribute" % e.name, before + other(table, e) + [one]
			yield "%s before %s" % (e.name, e.after), [one] + before
			yield "%s twice behind one %s" % (e.name, e.after), before + [one, one]
		yield "%s of more octets than there are" % e.name, before + [tlv(e.number, b"")[:2] + b"\0\5" + bytes(4)]
	free = next(n for n in range(1, 1 << 15) if n not in unit.values())
	yield "unknown attribute as TV", [tv(free, 1)]
	yield "unknown attribute as TLV", [tlv(free, pattern(5))]
	yield "unknown attribute as TLV of no octets", [tlv(free, b"")]
	yield "unknown attribute twice", [tv(free, 1), tv(free, 1)]
	yield "attribute 0", [tv(0, 1)]
	yield "attribute 32767", [tv(32767, 1)]
	for n in (1, 2, 3):
		yield "%d octets behind the last attribute" % n, [tv(free, 1), tv(free, 1)[:n]]
	for n in (limit, limit + 1):
		yield "%d attributes" % n, [tv(free + i, 1) for i in range(n)]
	yield "no attributes", []


def values_of(e):
	"""Numbers at the edges of what the registry of an attribute has."""
	if e.registry is None:
		return (7, 8, 128, 32768)
	named = [x.lo for x in e.registry.entries if x.kind == "named"]
	odd = [x.lo for x in e.registry.entries if x.kind != "named"]
	return tuple(named[:1] + named[-1:] + odd[-2:])


def other(table, e):
	return [tv(x.number, 1) for x in table.entries if x.basic and x.name not in (e.name, e.after)][:1]
