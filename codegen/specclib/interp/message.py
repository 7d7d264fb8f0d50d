"""Messages read whole: header, chain of payloads, shape, and what the message says of them."""

from .. import model as m
from ..conditions import spell
from . import conditions
from .fault import Fault, blame, number
from .payload import Structs
from .shape import TOLERATED, Matcher, text_of


class Verdict:
	"""What became of a message."""

	def __init__(self, fault=None, variants=(), slots=(), shape=None, payloads=(), header=None):
		self.fault = fault
		self.variants = tuple(variants)	# of those allowed, the ones that it fits
		self.slots = list(slots)	# TOLERATED or the slot of each payload
		self.shape = shape
		self.payloads = payloads	# Nodes, as far as they could be read
		self.header = header

	@property
	def valid(self):
		return self.fault is None


class Reader:
	def __init__(self, model, seen=None):
		self.model = model
		self.seen = seen
		self.structs = Structs(model, seen)
		self.types = {p.number: p for p in model.payloads.values() if not p.nested}
		for e in model.registries[m.PAYLOADS].entries:
			for alias in e.aliases:
				if e.lo in self.types:
					self.types[alias] = self.types[e.lo]
		header = model.structs["header"]
		self.unknown = model.registries[m.PAYLOADS].notify
		self.trailing = next(f.notify for f in header.fields if f.constraint == "size_message")
		self.many = next((p.base.notify for p in model.payloads.values() if p.base and p.base.notify), self.unknown)
		self.limit = model.limits["payloads_per_message"].value
		self.padding = model.limits["padding_octets"].value if "padding_octets" in model.limits else 0
		self.order = {msg.name: in_order(msg) for msg in model.messages.values()}
		self.matchers = {msg.name: [Matcher(msg, s) for s in msg.shapes] for msg in model.messages.values()}

	# ---- header and chain

	def header(self, data):
		return self.structs.reader(self.model.structs["header"]).read(data, 0, len(data))

	def chain(self, data, header, decrypted):
		"""The payloads, as Nodes."""
		at, np, said_at = header.end, header.values["np"], header.places["np"]
		found = []
		while np != 0:
			if len(found) == self.limit:
				blame("limit_exceeded", self.many, "message", "payloads", at, len(found) + 1, self.limit)
			struct = self.types.get(np)
			if struct is None:
				blame("payload_unknown", self.unknown, "message", "np", said_at, np)
			node = self.structs.reader(struct).read(data, at, len(data))
			found.append(node)
			said_at, np, at = node.places["np"], node.values["np"], node.end
		left, most = len(data) - at, self.padding if decrypted else 0
		if left > most:
			blame("trailing_octets", self.trailing, "message", "payloads", at, left, most)
		return found, at

	# ---- shape

	def match(self, message, nodes, end, allowed=()):
		"""(variants, slots, shape) of payloads that fit a shape of the message."""
		names = [n.struct.name for n in nodes]
		tried = [k for k in self.matchers[message.name]
			if not k.shape.variants or not allowed or set(k.shape.variants) & set(allowed)]
		walks = [(k,) + k.walk(names) for k in tried]
		for k, slots, threads in walks:
			if len(slots) == len(names) and k.complete(threads):
				return self.fitting(k.shape, allowed), slots, k.shape
		furthest = max((len(slots) for _, slots, _ in walks), default=0)
		wanted, over = set(), False
		for k, slots, threads in walks:
			if len(slots) == furthest:
				names_, end_ = k.expected(threads)
				wanted |= names_
				over = over or end_
		text = text_of([n for n in self.order[message.name] if n in wanted], over)
		if furthest < len(names):
			node = nodes[furthest]
			blame("shape_unexpected", None, message.name, text, node.start, node.struct.number)
		return blame("shape_missing", None, message.name, text, end)

	def fitting(self, shape, allowed):
		if not shape.variants:
			return tuple(v for v in self.model.variants if v in allowed)
		return tuple(v for v in self.model.variants if v in shape.variants and (not allowed or v in allowed))

	# ---- where

	def where(self, message, shape, slots, nodes):
		rules = self.rules(shape)
		single = [r for r in rules if not whole(r[0])]
		for slot, node in zip(slots, nodes):
			if slot == TOLERATED:
				continue
			role = message.slot(slot).role
			if role is not None and role.where is not None:
				self.role(message, slot, role, node)
			for rule, text in single:
				if subject_slot(rule) == slot:
					self.count(message, rule, text, node)
		for rule, text in rules:
			if whole(rule):
				self.whole(message, rule, text, slots, nodes)

	@staticmethod
	def rules(shape):
		"""(condition, as written) of each comparison."""
		if shape.where is None:
			return []
		written = conditions_of(shape.decl.where)
		return list(zip(conditions.parts(shape.where), written))

	@staticmethod
	def role(message, slot, role, node):
		for part in conditions.parts(role.where):
			if not conditions.holds(part, node):
				conditions.refuse("shape_where", part, node, "%s of %s" % (slot, message.name), None)

	@staticmethod
	def count(message, rule, text, node):
		for found in counts(node, rule.left.path):
			if not conditions.OPS[rule.op](found, rule.right.value):
				blame("shape_where", None, message.name, spell(text.left), node.start, found,
					rule.right.value)

	@staticmethod
	def whole(message, rule, text, slots, nodes):
		values, at = [], 0
		for side in (rule.left, rule.right):
			if isinstance(side, m.Has):
				values.append(side.slot in slots)
				continue
			mine = [n for s, n in zip(slots, nodes) if s == side.slot]
			values.append(all(carries(inner, side) for n in mine for inner in innermost([n], side.path)))
			at = mine[-1].start if mine else at
		if not conditions.OPS[rule.op](*values):
			blame("shape_where", None, message.name, spell(text), at, int(values[0]), int(values[1]))

	# ---- all of it

	def read(self, data, message, decrypted=False, allowed=()):
		header, nodes = None, []
		try:
			header = self.header(data)
			nodes, end = self.chain(data, header, decrypted)
			variants, slots, shape = self.match(message, nodes, end, allowed)
			self.where(message, shape, slots, nodes)
		except Fault as fault:
			if self.seen is not None:
				self.seen.add(("reason", fault.reason))
			return Verdict(fault, payloads=nodes, header=header)
		return Verdict(None, variants, slots, shape, nodes, header)


def in_order(message):
	"""The slots of all shapes as they are told: what only a later shape has stands before what it has before."""
	found = []
	for shape in message.shapes:
		names = [slot.name for slot, _, _ in shape.elements]
		for i, name in enumerate(names):
			if name not in found:
				behind = [found.index(n) for n in names[i:] if n in found]
				found.insert(behind[0] if behind else len(found), name)
	return found


def whole(rule):
	"""Is it about the message, not about one payload?"""
	return any(isinstance(side, (m.Has, m.Each)) for side in (rule.left, rule.right))


def subject_slot(rule):
	return rule.left.slot


def conditions_of(e):
	"""The comparisons of a condition as the syntax tree has it."""
	return list(e.items) if hasattr(e, "items") else [e]


def innermost(nodes, path):
	for f in path:
		nodes = [inner for n in nodes for inner in n.values[f.name]]
	return nodes


def counts(node, path):
	"""How many there are in each list at the end of the path."""
	return [len(n.values[path[-1].name]) for n in innermost([node], path[:-1])]


def carries(node, each):
	"""Does a transform carry the attribute, as its protocol numbers it?"""
	attribute = each.attribute.get(next(iter(node.params.values()), None))
	if attribute is None:
		return False
	lists = [node.values[f.name] for f in node.struct.fields if f.kind == "attributes"]
	return any(a.type == attribute.number for found in lists for a in found)


__all__ = ["Reader", "Verdict", "number"]
