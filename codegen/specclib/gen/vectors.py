"""specc vectors: conformance vectors in the manner of Wycheproof, one file for each message.

Every test says which octets, and what a reader must say of them.  The verdict is that of the interpreted
spec; where the way a message was made already tells the verdict, both must agree."""

import json

from ..interp import Fault, Reader
from ..interp.cases import NOTES, Cases
from ..interp.shape import TOLERATED

COMMAND = "vectors"


class Disagreement(Exception):
	pass


def outputs(model):
	maker = Maker(model)
	files = {"%s.json" % msg.name: maker.message(msg) for msg in model.messages.values()}
	files["header.json"] = maker.header()
	files["attributes.json"] = maker.attributes()
	return files


class Maker:
	def __init__(self, model):
		self.model = model
		self.reader = Reader(model)
		self.cases = Cases(model)

	def message(self, message):
		decrypted = message.protection != "clear"
		tests = self.tests(self.cases.of(message), lambda c: self.verdict(c, message, decrypted))
		cited = message.shapes[0].rfc or message.messages.rfc
		return self.file("message %s" % message.name, cited, [self.group(message, decrypted, tests)])

	@staticmethod
	def group(message, decrypted, tests):
		return {"type": "Message", "message": message.name, "exchange": message.messages.exchange_name,
			"protection": message.protection, "decrypted": decrypted,
			"shapes": [{"variants": list(s.variants), "payloads": s.text} for s in message.shapes],
			"tests": tests}

	def header(self):
		message, cases = self.cases.headers()
		tests = self.tests(cases, lambda c: self.verdict(c, message, False))
		return self.file("the header", self.model.structs["header"].rfc, [self.group(message, False, tests)])

	def attributes(self):
		groups, first = [], 1
		for protocol, struct, param, cases in self.cases.attributes():
			def verdict(case, protocol=protocol, struct=struct, param=param):
				try:
					node = self.reader.structs.reader(struct).read(case.data, 0, len(case.data), {param: protocol} if param else {})
				except Fault as fault:
					return refused(fault)
				if node.end != len(case.data):
					raise Disagreement("%s: not read to its end" % case.comment)
				return {"result": "valid"}
			tests = self.tests(cases, verdict, first)
			first += len(tests)
			group = {"type": "Payload", "payload": struct.name, "parameter": protocol, "tests": tests}
			groups.append({k: v for k, v in group.items() if v is not None})
		return self.file("lists of attributes", "RFC 2408 3.3", groups)

	def tests(self, cases, verdict, first=1):
		found, known = [], set()
		for case in cases:
			key = case.data, case.variants
			if key in known:
				continue
			known.add(key)
			said = verdict(case)
			if case.valid is not None and case.valid != (said["result"] == "valid"):
				raise Disagreement("%s: made to be %s, read as %s" % (case.comment,
					"valid" if case.valid else "invalid", said))
			test = {"tcId": first + len(found), "comment": case.comment, "flags": [case.flag]}
			if case.variants:
				test["variants"] = list(case.variants)
			found.append({**test, "msg": case.data.hex(), **said})
		return found

	def verdict(self, case, message, decrypted):
		v = self.reader.read(case.data, message, decrypted, case.variants)
		if v.fault is not None:
			return refused(v.fault)
		said = {"result": "valid", "slots": [s if s != TOLERATED else "-" for s in v.slots]}
		if v.variants:
			said["matched"] = list(v.variants)
		return said

	def file(self, what, cited, groups):
		used = {f for g in groups for t in g["tests"] for f in t["flags"]}
		head = {"algorithm": "IKEv1", "about": "%s (%s)" % (what, cited) if cited else what,
			"header": ["Written by codegen/specc vectors from spec/; make vectors writes it again.",
				"variants: those that are still possible; none = all.  offset: octets from the start of msg."],
			"numberOfTests": sum(len(g["tests"]) for g in groups),
			"notes": {f: NOTES[f] for f in NOTES if f in used}}
		return layout(head, groups)


def refused(fault):
	return {"result": "invalid", "reason": fault.reason, "where": fault.where, "field": fault.field,
		"offset": fault.offset, "notify": fault.notify}


def layout(head, groups):
	"""JSON with one line for each test, so that a difference shows what changed."""
	text = json.dumps(head, indent=1)[:-2] + ',\n "testGroups": [\n'
	parts = []
	for group in groups:
		lines = ",\n".join("   " + json.dumps(t) for t in group["tests"])
		rest = {k: v for k, v in group.items() if k != "tests"}
		parts.append("  " + json.dumps(rest)[:-1] + ', "tests": [\n' + lines + "\n  ]}")
	return text + ",\n".join(parts) + "\n ]\n}\n"
