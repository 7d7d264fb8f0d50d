"""Structs and payloads read field by field, with all that their declaration asks for.

The fixed fields that follow each other must all be there before one of them is looked at; the run ends
behind the field that gives the size of the whole.  A `lax` field is only observed."""

from . import conditions
from .attributes import Table
from .fault import blame


class Node:
	"""A struct that was read: the value of each field and where it stands in the message."""
	__slots__ = ("struct", "start", "end", "values", "places", "params", "lax")

	def __init__(self, struct, start, end, params):
		self.struct, self.start, self.end, self.params = struct, start, end, params
		self.values, self.places, self.lax = {}, {}, False


class Structs:
	"""The readers of all structs of a model."""

	def __init__(self, model, seen=None):
		self.model = model
		self.seen = seen		# a set that notes what was exercised, or None
		self.limits = {name: l.value for name, l in model.limits.items()}
		self.tables = {p: Table(t, self.limits.get("attributes", float("inf")))
			for p, t in model.attributes_for.items()}
		self.alone = {t.name: Table(t, self.limits.get("attributes", float("inf")))
			for t in model.attributes.values() if not t.protocols}
		self.number = {s.name: s.number for s in model.payloads.values()}
		self.made = {}

	def reader(self, struct):
		if struct.name not in self.made:
			self.made[struct.name] = StructReader(self, struct)
		return self.made[struct.name]

	def admits(self, registry):
		"""The values of a closed registry that have a meaning."""
		return frozenset(v for e in registry.entries if e.kind == "named" for v in range(e.lo, e.hi + 1))


def octets_of(f):
	"""Octets of a field of fixed size; of a u4 a half."""
	return f.bits / 8 if f.kind == "uint" else f.min if f.fixed else None


class StructReader:
	def __init__(self, structs, struct):
		self.structs, self.struct, self.name = structs, struct, struct.name
		self.notify = struct.notify
		self.head = sum(octets_of(f) for f in struct.fields if f.inherited)
		self.parts = self.split()

	def split(self):
		"""Runs of fixed fields as (octets, [(field, octet in the run, read, check)]); else a field."""
		parts, run, at = [], [], 0
		for f in self.struct.fields:
			octets = octets_of(f)
			if octets is None:
				if run:
					parts.append((int(at), run))
				parts.append(f)
				run, at = [], 0
				continue
			run.append((f, int(at), int(octets * 2) + (1 << 8 if at % 1 else 0), self.check_of(f)))
			at += octets
			if f.constraint == "size_self":
				parts.append((int(at), run))
				run, at = [], 0
		if run:
			parts.append((int(at), run))
		return parts

	# ---- reading

	def read(self, data, start, end, params=None):
		"""The Node that begins at data[start]; nothing behind `end` is looked at."""
		node = Node(self.struct, start, end, params or {})
		at = start
		for part in self.parts:
			if isinstance(part, tuple):
				at = self.run(part, data, at, node)
			else:
				at = self.PARTS[part.kind](self, part, data, at, node)
		if self.struct.field("length") is None or not any(f.constraint == "size_self" for f in self.struct.fields):
			node.end = at
		elif at != node.end:
			last = self.struct.fields[-1]
			blame("trailing_octets", self.notify, self.name, last.name, at, node.end - at, 0)
		for r in self.struct.requires:
			self.require(r, node)
		if self.structs.seen is not None:
			self.note(node)
		return node

	def run(self, part, data, at, node):
		octets, fields = part
		if node.end - at < octets:
			blame("field_truncated", self.notify, self.name, fields[0][0].name, at, node.end - at, octets)
		values, places = node.values, node.places
		for f, place, nibbles, _ in fields:
			here = at + place
			if f.kind != "uint":
				values[f.name] = data[here:here + f.min]
			elif nibbles == 1:
				values[f.name] = data[here] >> 4
			elif nibbles == 257:
				values[f.name] = data[here] & 15
			elif nibbles == 2:
				values[f.name] = data[here]
			else:
				values[f.name] = int.from_bytes(data[here:here + f.bits // 8], "big")
			places[f.name] = here
		for f, place, _, check in fields:
			if check is not None:
				check(values[f.name], node, at + place)
		last = fields[-1][0]
		if last.constraint == "size_self":
			self.cut(last, node)
		return at + octets

	def cut(self, f, node):
		"""The length is known: the payload ends there."""
		length, least = node.values[f.name], int(self.head) or node.places[f.name] + f.bits // 8 - node.start
		if length < least:
			blame("length_mismatch", f.notify, self.name, f.name, node.places[f.name], length, least)
		if length > node.end - node.start:
			blame("length_mismatch", f.notify, self.name, f.name, node.places[f.name], length,
				node.end - node.start)
		node.end = node.start + length

	def bad(self, reason, f, node, at, got, want):
		if f.lax:
			node.lax = True
		else:
			blame(reason, f.notify, self.name, f.name, at, got, want)

	# ---- one value

	def check_of(self, f):
		"""A function (value, node, place) that refuses what the field must not be; None = anything may."""
		if f.kind == "zero":
			return lambda v, node, at: any(v) and self.bad("field_value", f, node, at, 1, 0)
		if f.chain:
			return self.chain_check(f) if self.struct.nested else None
		checks = [c for c in (self.constraint_check(f), self.known_check(f)) if c]
		if not checks:
			return None
		if len(checks) == 1:
			return checks[0]

		def both(v, node, at):
			for c in checks:
				c(v, node, at)
		return both

	def chain_check(self, f):
		mine = self.struct.number
		return lambda v, node, at: v not in (mine, 0) and self.bad("field_value", f, node, at, v, mine)

	def constraint_check(self, f):
		kind, values = f.constraint, f.values
		if kind in ("const", "bits", "oneof"):
			return lambda v, node, at: v not in values and self.bad("field_value", f, node, at, v, values[0])
		if kind == "range":
			lo, hi = values

			def bounds(v, node, at):
				if v < lo:
					self.bad("field_range", f, node, at, v, lo)
				if v > hi:
					self.bad("field_range", f, node, at, v, hi)
			return bounds
		if kind == "nonzero":
			return lambda v, node, at: not (any(v) if f.kind == "bytes" else v) \
				and self.bad("field_zero", f, node, at, 0, 1)
		if kind == "size_message":
			return lambda v, node, at: v != node.end - node.start \
				and self.bad("length_mismatch", f, node, at, v, node.end - node.start)
		limit = self.structs.limits.get(f.counts) if kind == "count" else None
		if limit is not None:
			return lambda v, node, at: v > limit and self.bad("limit_exceeded", f, node, at, v, limit)
		return None

	def known_check(self, f):
		if f.constraint in ("const", "oneof", "bits"):
			return None
		if f.switch is not None:
			admitted = {k: self.structs.admits(r) if r.closed else None for k, r in f.switch.branches.items()}

			def branch(v, node, at):
				selector = node.params.get(f.selector, node.values.get(f.selector))
				known = admitted.get(selector, ())
				if known is not None and v not in known:
					self.bad("field_unknown", f, node, at, v, 0)
			return branch
		if f.bitset is not None:
			mask = f.bitset.mask
			strict = f.decl.else_ is not None or f.bitset.decl.clauses.closed
			return (lambda v, node, at: v & ~mask and self.bad("field_unknown", f, node, at, v, mask)) \
				if strict else None
		if f.registry is not None and f.registry.closed:
			known = self.structs.admits(f.registry)
			return lambda v, node, at: v not in known and self.bad("field_unknown", f, node, at, v, 0)
		return None

	# ---- fields of varying size

	def octets(self, f, data, at, node):
		places = node.places
		places[f.name] = at
		if f.length_field is not None:
			size = node.values[f.length_field]
			if node.end - at < size:
				self.bad("field_truncated", f, node, at, node.end - at, size)
			node.values[f.name] = data[at:at + size]
			return at + size
		size = node.end - at
		node.values[f.name] = data[at:node.end]
		self.bounds(f, size, node, at)
		return node.end

	def bounds(self, f, found, node, at):
		if found < f.min:
			self.bad("field_range", f, node, at, found, f.min)
		if f.max is not None and found > f.max:
			self.bad("field_range", f, node, at, found, f.max)

	def zeros(self, f, data, at, node):
		node.values[f.name], node.places[f.name] = data[at:node.end], at
		if any(data[at:node.end]):
			self.bad("field_value", f, node, at, 1, 0)
		return node.end

	def counted(self, f, found, node):
		for counter in self.struct.fields:
			if counter.counts == f.name and node.values[counter.name] != found:
				self.bad("count_mismatch", counter, node, node.places[counter.name],
					node.values[counter.name], found)

	def slices(self, f, data, at, node):
		size = node.values[f.slice_size]
		node.places[f.name] = at
		rest = node.end - at
		if size == 0:
			sizer = self.struct.field(f.slice_size)
			self.bad("field_zero", sizer, node, node.places[sizer.name], 0, 1)
		if rest % size:
			self.bad("length_mismatch", f, node, at, rest, rest - rest % size)
		node.values[f.name] = [data[i:i + size] for i in range(at, node.end, size)]
		self.counted(f, rest // size, node)
		self.bounds(f, rest // size, node, at)
		return node.end

	def nested(self, f, data, at, node):
		"""Payloads of one kind that fill the rest; each but the last says that another follows."""
		inner = self.structs.reader(f.element)
		params = {}
		if f.selector is not None:
			name = f.element.params[0][0]
			params[name] = node.params.get(f.selector, node.values.get(f.selector))
		limit = self.structs.limits.get(f.name, 65535)
		node.places[f.name] = at
		found = node.values[f.name] = []
		more = at < node.end or f.min > 0
		while more:
			if len(found) == limit:
				blame("limit_exceeded", f.element.notify, inner.name, inner.name, at, limit + 1, limit)
			one = inner.read(data, at, node.end, params)
			found.append(one)
			at = one.end
			more = one.values[inner.chain] != 0
		if at != node.end:
			blame("trailing_octets", f.element.notify, inner.name, inner.name, at, node.end - at, 0)
		self.counted(f, len(found), node)
		self.bounds(f, len(found), node, node.places[f.name])
		return at

	@property
	def chain(self):
		return next(f.name for f in self.struct.fields if f.chain and f.kind == "uint")

	def attributes(self, f, data, at, node):
		if f.table is not None:
			table = self.structs.alone[f.table.name]
		else:
			table = self.structs.tables[node.params.get(f.selector, node.values.get(f.selector))]
		node.places[f.name] = at
		found = node.values[f.name] = table.read(data, at, node.end, self.name, f.notify)
		if self.structs.seen is not None:
			for a in found:
				self.structs.seen.add(("attribute", table.name, a.known.name if a.known else "unknown",
					"TV" if a.tv else "TLV"))
		return node.end

	PARTS = {"bytes": octets, "zero": zeros, "slices": slices, "structs": nested, "attributes": attributes}

	def require(self, r, node):
		met = conditions.holds(r.cond, node)
		if met and not conditions.holds(r.then, node):
			conditions.refuse("rule_broken", r.then, node, self.name, self.notify_of(r))
		if met and self.structs.seen is not None:
			self.structs.seen.add(("require", self.name, r.text))

	def notify_of(self, r):
		return r.notify if r.decl.else_ is not None else None

	def note(self, node):
		seen = self.structs.seen
		seen.add(("payload", self.name))
		for f in self.struct.fields:
			registry = f.registry
			if f.switch is not None:
				registry = f.switch.branches.get(node.params.get(f.selector, node.values.get(f.selector)))
			if f.kind == "uint" and registry is not None:
				entry = registry.find(node.values[f.name])
				seen.add(("value", registry.name, entry.lo if entry else "unassigned"))
			elif f.kind == "uint" and f.bitset is not None:
				for b in f.bitset.entries:
					if node.values[f.name] >> b.bit & 1:
						seen.add(("value", f.bitset.name, b.bit))
			elif f.kind in ("bytes", "slices", "structs", "attributes") and not node.values[f.name]:
				seen.add(("empty", self.name, f.name))
			else:
				seen.add(("filled", self.name, f.name))
