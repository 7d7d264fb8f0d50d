"""specc validate: reads messages by the interpreted spec and tells which parts of the spec none of them needed.

A file of messages is JSON as `specc vectors` writes it, or lines of hex, each with the name of its message
before it when that is known and the word `decrypted` when it is not as it was on the wire:

    MI1 fafaeb49382a763c...
    MI3 decrypted fafaeb49382a763c...
    fafaeb49382a763c...             # the exchange type tells which messages it may be"""

import json
import sys

from .interp import Fault, Reader

FAULT = ("where", "field", "offset", "got", "want")	# parameters of the reasons that reading a message gives


class Seen:
	"""What messages have exercised."""

	def __init__(self, model):
		self.model = model
		self.facts = set()
		self.edges, self.rows, self.reasons = set(), set(), set()
		self.reader = Reader(model, self.facts)
		self.valid = self.invalid = self.closed = 0
		self.wrong = []

	def message(self, message, data, decrypted, variants=()):
		v = self.reader.read(data, message, decrypted, variants)
		if not v.valid:
			self.invalid += 1
			self.reasons.add(v.fault.reason)
			return v
		self.valid += 1
		self.walk(message, v)
		for machine in self.model.machines.values():
			for row in machine.rows:
				if row.recv is message and (not row.variants or not v.variants or set(row.variants) & set(v.variants)):
					self.rows.add(row)
		for oneway in self.model.oneways.values():
			self.rows.update(row[2] for row in oneway.rows if row[0] is message)
		return v

	def walk(self, message, v):
		dfa, state = v.shape.dfa, 1
		for node in v.payloads:
			c = dfa.classes.index(node.struct.name)
			self.edges.add((message.name, message.shapes.index(v.shape), state, c))
			state = dfa.next[state][c]

	# ---- files

	def file(self, name):
		with open(name, encoding="utf-8") as f:
			text = f.read()
		if text.lstrip().startswith("{"):
			self.vectors(name, json.loads(text))
			return
		for i, line in enumerate(text.splitlines(), 1):
			words = line.split("#")[0].split()
			if words:
				self.line("%s:%d" % (name, i), words)

	def vectors(self, name, file):
		for group in file["testGroups"]:
			for test in group["tests"]:
				data = bytes.fromhex(test["msg"])
				where = "%s: test %d (%s)" % (name, test["tcId"], test["comment"])
				if group["type"] == "Message":
					v = self.message(self.model.messages[group["message"]], data, group["decrypted"],
						tuple(test.get("variants", ())))
					self.compare(where, test, v.fault)
				else:
					self.compare(where, test, self.payload(group, data))

	def payload(self, group, data):
		struct = self.model.structs[group["payload"]]
		params = {name: group["parameter"] for name, _ in struct.params}
		try:
			self.reader.structs.reader(struct).read(data, 0, len(data), params)
		except Fault as fault:
			self.invalid += 1
			self.reasons.add(fault.reason)
			return fault
		self.valid += 1
		return None

	def compare(self, where, test, fault):
		if (fault is None) != (test["result"] == "valid"):
			self.wrong.append("%s: %s, the file says %s" % (where, fault or "valid", test["result"]))

	def line(self, where, words):
		try:
			data = bytes.fromhex(words[-1])
		except ValueError:
			raise SystemExit("specc: %s: '%s' is no hex" % (where, words[-1]))
		if len(words) > 1:
			if words[0] not in self.model.messages:
				raise SystemExit("specc: %s: there is no message '%s'" % (where, words[0]))
			self.say(where, words[0], self.message(self.model.messages[words[0]], data, "decrypted" in words))
			return
		try:
			header = self.reader.header(data)
		except Fault as fault:
			self.invalid += 1
			self.reasons.add(fault.reason)
			self.say(where, "header", None, fault)
			return
		if header.values["flags"] & 1 << self.model.bits["header_flags"].by_symbol["ENCRYPTION"]:
			self.closed += 1
			print("%s: encrypted, only its header was read" % where)
			return
		self.guess(where, data, header)

	def guess(self, where, data, header):
		"""The first clear message of the exchange that it fits, or what is wrong with it as the first of them."""
		candidates = [m for m in self.model.messages.values() if m.messages.exchange == header.values["xchg"]
			and m.protection != "encrypted"]
		fits = [m for m in candidates if Reader(self.model).read(data, m).valid]
		if not candidates:
			print("%s: no message of the spec has exchange type %d" % (where, header.values["xchg"]))
			self.invalid += 1
			return
		chosen = (fits or candidates)[0]
		self.say(where, chosen.name, self.message(chosen, data, False))

	@staticmethod
	def say(where, name, verdict, fault=None):
		fault = fault or (verdict.fault if verdict else None)
		print("%s: %s: %s" % (where, name, fault if fault is not None else "valid: " + " ".join(verdict.slots)))

	# ---- what is left

	def missing(self):
		"""(title, [names], how many there are) of each kind of thing."""
		for title, things in (("payloads", self.payloads()), ("fields", self.fields()), ("values", self.values()),
				("attributes", self.attributes()), ("rules", self.rules()), ("shape edges", self.all_edges()),
				("rows", self.all_rows()), ("reasons", self.all_reasons())):
			things = list(things)
			yield title, [name for name, done in things if not done], len(things)

	def payloads(self):
		return ((p.name, ("payload", p.name) in self.facts) for p in self.model.payloads.values())

	def fields(self):
		for s in self.model.structs.values():
			if s.kind == "struct" and s.name != "header":
				continue
			for f in s.fields:
				if f.kind in ("bytes", "slices", "structs", "attributes") and not f.inherited:
					yield "%s.%s" % (s.name, f.name), ("filled", s.name, f.name) in self.facts
					if f.min == 0 and not f.fixed:
						yield "%s.%s empty" % (s.name, f.name), ("empty", s.name, f.name) in self.facts

	def values(self):
		used = {}
		for s in self.model.payloads.values():
			for f in s.fields:
				for registry in [f.registry] + (list(f.switch.branches.values()) if f.switch else []):
					if registry is not None and not f.chain:
						used[registry.name] = registry
		for name, registry in used.items():
			for e in registry.entries:
				if e.kind == "named":
					yield "%s %s" % (name, e.symbol), ("value", name, e.lo) in self.facts

	def attributes(self):
		for table in self.model.attributes.values():
			for e in table.entries:
				short = e.kind == "uint" or (e.min <= 2 <= (e.max or 2) and 2 % e.step == 0)	# of two octets
				forms = ["TV"] if e.basic else ["TV", "TLV"] if short else ["TLV"]
				for form in forms:
					yield "%s %s as %s" % (table.name, e.name, form), ("attribute", table.name, e.name, form) in self.facts

	def rules(self):
		for s in self.model.payloads.values():
			for r in s.requires:
				yield "%s: %s" % (s.name, r.text), ("require", s.name, r.text) in self.facts

	def all_edges(self):
		for msg in self.model.messages.values():
			for i, shape in enumerate(msg.shapes):
				for state, row in enumerate(shape.dfa.next):
					for c, target in enumerate(row):
						if target:
							name = "%s %s: %s in state %d" % (msg.name, ",".join(shape.variants) or "-",
								shape.dfa.classes[c], state)
							yield name, (msg.name, i, state, c) in self.edges

	def all_rows(self):
		for machine in self.model.machines.values():
			for row in machine.rows:
				yield "%s takes %s" % (row.state.name, row.recv.name) + (" when " + ", ".join(row.variants)
					if row.variants else ""), row in self.rows
		for oneway in self.model.oneways.values():
			for message, action, row in oneway.rows:
				yield "%s takes %s" % (oneway.name, message.name), row in self.rows

	def all_reasons(self):
		for r in self.model.reasons.values():
			if tuple(name for name, _ in r.params) == FAULT:
				yield r.name, r.name in self.reasons


def run(model, args):
	if not args.messages:
		raise SystemExit("specc: validate needs messages: --messages FILE")
	seen = Seen(model)
	for name in args.messages:
		try:
			seen.file(name)
		except (OSError, UnicodeDecodeError, ValueError) as e:
			raise SystemExit("specc: %s: %s" % (name, e))
	print("%d messages valid, %d refused%s" % (seen.valid, seen.invalid,
		", %d encrypted" % seen.closed if seen.closed else ""))
	for title, missing, total in seen.missing():
		print("%s: %d of %d exercised" % (title, total - len(missing), total))
		for name in missing:
			print("    never: %s" % name)
	for line in seen.wrong:
		sys.stderr.write("specc: %s\n" % line)
	return 1 if seen.wrong else 0

