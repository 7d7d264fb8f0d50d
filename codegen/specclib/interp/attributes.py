"""Data attributes (RFC 2408 3.3): form, length, value and order, as `attributes` declares them."""

from .fault import blame

TV = 0x8000		# the AF bit: the value stands in place of the length
HEAD = 4


class Attribute:
	"""One attribute as it was found."""
	__slots__ = ("type", "tv", "value", "offset", "known")

	def __init__(self, kind, tv, value, offset, known):
		self.type, self.tv, self.value, self.offset, self.known = kind, tv, value, offset, known

	@property
	def number(self):
		return int.from_bytes(self.value, "big")


class Table:
	"""What the attributes of one protocol must keep to."""

	def __init__(self, table, limit):
		self.entries = {e.number: e for e in table.entries}
		self.units = {e.after for e in table.entries if e.after}	# types that others count
		self.name = table.name
		self.limit = limit

	def read(self, data, start, end, where, notify):
		found, at = [], start
		waiting, units, once = None, set(), set()
		while at < end:
			if len(found) == self.limit:
				blame("limit_exceeded", notify, where, "attribute", at, len(found) + 1, self.limit)
			one = self.one(data, at, end, where, notify)
			at = one.offset + HEAD + (0 if one.tv else len(one.value))
			found.append(one)
			if one.known is None:
				continue	# whoever chooses refuses the transform that has it
			self.form(one, where, notify)
			waiting = self.place(one, waiting, units, once, where, notify)
		return found

	def one(self, data, at, end, where, notify):
		if end - at < HEAD:
			blame("field_truncated", notify, where, "attribute", at, end - at, HEAD)
		word = data[at] << 8 | data[at + 1]
		known = self.entries.get(word & ~TV)
		if word & TV:
			return Attribute(word & ~TV, True, data[at + 2:at + 4], at, known)
		octets = data[at + 2] << 8 | data[at + 3]
		if octets > end - at - HEAD:
			blame("field_truncated", notify, where, known.name if known else "attribute", at,
				end - at - HEAD, octets)
		return Attribute(word, False, data[at + HEAD:at + HEAD + octets], at, known)

	@staticmethod
	def form(one, where, notify):
		"""Basic ones come as TV; a number may come as TV when it fits, octets by their length."""
		e, octets = one.known, len(one.value)
		if e.basic and not one.tv:
			blame("attribute_form", notify, where, e.name, one.offset, octets, 2)
		if not (one.tv and e.kind == "uint"):
			if octets < e.min:
				blame("attribute_form", notify, where, e.name, one.offset, octets, e.min)
			if e.max is not None and octets > e.max:
				blame("attribute_form", notify, where, e.name, one.offset, octets, e.max)
			if octets % e.step:
				blame("attribute_form", notify, where, e.name, one.offset, octets, octets - octets % e.step)
		if e.registry is not None and e.registry.closed:
			entry = e.registry.find(one.number)
			if entry is None or entry.kind != "named":
				blame("field_unknown", notify, where, e.name, one.offset, one.number)

	def place(self, one, waiting, units, once, where, notify):
		"""A count follows its unit; each unit and everything else stands once (RFC 2407 4.5.4).  Returns
		the unit that waits for its count."""
		e = one.known
		if e.after is not None:
			if waiting != e.after:
				unit = next(u.number for u in self.entries.values() if u.name == e.after)
				blame("rule_broken", notify, where, e.name, one.offset, e.number, unit)
			return None
		if e.name in self.units:
			if one.number in units:
				blame("attribute_twice", notify, where, e.name, one.offset, one.number, 1)
			units.add(one.number)
			return e.name
		if e.number in once and not e.repeat:
			blame("attribute_twice", notify, where, e.name, one.offset, e.number, 1)
		once.add(e.number)
		return waiting
